// Backtraces by the C library's unwinder; addr2line (of binutils, which every compiler needs) finds the
// lines.
#include <xgrad/core/base/backtrace.hpp>

#include <dlfcn.h>
#include <elf.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#if __has_include(<execinfo.h>)
#include <execinfo.h>
#else  // a C library without an unwinder
static int backtrace(void**, int) { return 0; }
#endif

#include <fmt/format.h>

#include <xgrad/core/base/process.hpp>

namespace xgrad {
namespace {

/// A module of the process, and the addresses in it that are asked for, as its file counts them.
struct Module {
  std::string file;
  std::vector<std::string> addresses;
};

bool is_system(std::string_view file) {
  const std::string_view name = file.substr(file.rfind('/') + 1);
  for (const char* known : {"libxgrad.", "libc.", "libc-", "libm.", "libstdc++.", "libc++", "libgcc_s.",
                            "ld-linux", "libpthread", "libasan.", "libtsan.", "libubsan.", "linux-vdso"})
    if (name.starts_with(known)) return true;
  return false;
}

std::string executable() {
  std::string path(4096, '\0');
  const long length = readlink("/proc/self/exe", path.data(), path.size());
  path.resize(length > 0 ? std::size_t(length) : 0);
  return path;
}

/// The frames of this thread by module, without those of the system and of xgrad's library; neighbours of one
/// module together.
std::vector<Module> modules_of_frames() {
  std::vector<void*> frames(256);
  frames.resize(std::size_t(::backtrace(frames.data(), int(frames.size()))));
  std::vector<Module> modules;
  for (void* frame : frames) {
    Dl_info info;
    const char* address = static_cast<const char*>(frame) - 1;  // within the call, not after it
    if (!dladdr(address, &info) || !info.dli_fname || is_system(info.dli_fname)) continue;
    const char* base = static_cast<const char*>(info.dli_fbase);
    const bool moved = reinterpret_cast<const Elf64_Ehdr*>(base)->e_type == ET_DYN;
    const auto at =
        reinterpret_cast<std::uintptr_t>(address) - (moved ? reinterpret_cast<std::uintptr_t>(base) : 0);
    const std::string file = access(info.dli_fname, R_OK) == 0 ? info.dli_fname : executable();
    if (modules.empty() || modules.back().file != file) modules.push_back({file, {}});
    modules.back().addresses.push_back(fmt::format("{:#x}", at));
  }
  return modules;
}

/// Whether a function, as addr2line writes it, is xgrad's or the standard library's.
bool is_foreign(std::string_view function, std::string_view file) {
  if (file.find("include/xgrad/") != file.npos || file.starts_with("/usr/include/")) return true;
  // The name is what stands between the type, which templates have, and the arguments.
  std::size_t begin = 0, depth = 0, end = 0;
  for (; end < function.size(); ++end) {
    const char c = function[end];
    if (depth == 0 && c == '(' && end > begin) break;
    if (depth == 0 && c == ' ') begin = end + 1;
    depth += c == '<' || c == '{' || c == '(';
    depth -= (c == '>' || c == '}' || c == ')') && depth > 0;
  }
  const std::string_view name = function.substr(begin, end - begin);
  for (const char* known : {"xgrad::", "std::", "__gnu_cxx::", "_start", "__libc_"})
    if (name.starts_with(known)) return true;
  return false;
}

/// "function at file:line" for each line of addr2line; what was inlined has lines of its own.
std::string frame_of(std::string_view line) {
  constexpr std::string_view inlined = " (inlined by) ";
  if (line.starts_with(inlined)) line.remove_prefix(inlined.size());
  const auto at = line.rfind(" at ");
  if (at == line.npos) return "";
  const std::string_view function = line.substr(0, at);
  std::string_view place = line.substr(at + 4);
  if (const auto extra = place.find(" (discriminator"); extra != place.npos) place = place.substr(0, extra);
  if (is_foreign(function, place)) return "";
  if (place.starts_with("??"))
    return function == "??" ? "" : fmt::format("\n  at {} (compile with -g for its line)", function);
  return fmt::format("\n  at {} ({})", function, place);
}

thread_local bool making_one = false;  // what goes wrong meanwhile is an Error without one

}  // namespace

bool wants_backtrace() {
  const char* wish = std::getenv("XGRAD_BACKTRACE");
  return wish && std::string_view(wish) != "" && std::string_view(wish) != "0";
}

std::string backtrace() {
  if (making_one) return "";
  making_one = true;
  std::string text;
  try {
    for (auto& module : modules_of_frames()) {
      std::vector<std::string> command{"addr2line", "-Cfip", "-e", module.file};
      command.insert(command.end(), module.addresses.begin(), module.addresses.end());
      const Output lines = output_of(command, "");
      if (!lines.failure.empty()) {
        text += fmt::format("\n  (no backtrace: {})", lines.failure);
        break;
      }
      for (std::string_view rest = lines.text; !rest.empty();) {
        const auto end = rest.find('\n');
        text += frame_of(rest.substr(0, end));
        rest = end == rest.npos ? "" : rest.substr(end + 1);
      }
    }
  } catch (...) {  // the error that is being raised matters more
  }
  making_one = false;
  return text;
}

}  // namespace xgrad
