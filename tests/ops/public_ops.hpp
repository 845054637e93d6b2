#pragma once
// Which operations are public, as the headers tell.
#include <set>
#include <string>

namespace xgrad::tests {

/// What a header declares directly in its namespace and returns arrays: `namespace xgrad { ... }`, without
/// bodies.
std::set<std::string> ops_of(const std::string& header);
/// All of core/tape/tape.hpp and ops/.
std::set<std::string> public_ops();

}  // namespace xgrad::tests
