#pragma once
// What xgrad gives for an edge case.
#include "tests/edge_cases/evaluate.hpp"

namespace xgrad::tests::edge_cases {

/// The elements that count. Throws what xgrad throws.
std::vector<double> by_xgrad(const Case& c);

}  // namespace xgrad::tests::edge_cases
