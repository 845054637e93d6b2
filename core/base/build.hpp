#pragma once
// Which build of the library this is: the same steps have the same bits only within one.
#include <string>

namespace xgrad {

/// Its version, the commit of a git checkout ("-dirty" with changes), the compiler and the instruction set,
/// as "xgrad 0.1.0, commit c7ae2f4, GCC 12.2.0, avx512bw with packs of 64 bytes".
std::string build_info();

}  // namespace xgrad
