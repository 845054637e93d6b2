// What the compiler knows of itself, and what Meson knows of the sources.
#include <xgrad/core/base/build.hpp>

#include <fmt/format.h>

#include <string_view>
#include <xsimd/xsimd.hpp>

namespace xgrad {

namespace detail {
extern const char* const commit;  // "" where the sources are no git checkout; commit.cpp.in
}

std::string build_info() {
#ifdef __clang__
  const std::string compiler =
      fmt::format("Clang {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__);
#else
  const std::string compiler = fmt::format("GCC {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
  return fmt::format("xgrad {}{}{}, {}, {} with packs of {} bytes", XGRAD_VERSION,
                     *detail::commit ? ", commit " : "", detail::commit, compiler,
                     xsimd::default_arch::name(), xsimd::batch<float>::size * sizeof(float));
}

}  // namespace xgrad
