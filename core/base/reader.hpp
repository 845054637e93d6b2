#pragma once
// Bytes that come from outside: what all formats are read through, so that no file can do harm.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <xgrad/core/base/error.hpp>
#include <xgrad/core/base/limits.hpp>

namespace xgrad {

/// How deep lists and the like may be nested in a file.
inline constexpr std::size_t max_depth = 100;

/// Reads a file, or bytes that are in memory or come from a function, from the first to the last. What a file
/// states is believed only within bounds: nothing is read beyond its end, and what its content takes in
/// memory is charged to a budget. Errors name the file, the byte, and what was expected there.
class Reader {
 public:
  /// Puts up to n bytes at `to` and returns how many; 0 only at the end. It may throw.
  using Source = std::function<std::size_t(char* to, std::size_t n)>;
  /// The size of what ends where its source does.
  static constexpr std::uint64_t unknown = ~0ull;

  /// Of a file. Throws Error when it cannot be opened, or is a folder, a device or a pipe.
  explicit Reader(const std::filesystem::path& file);
  /// Of bytes in memory, which must outlive the Reader.
  Reader(std::string name, std::string_view bytes);
  /// Of bytes from a function. The size may be one that a file only states, or unknown.
  Reader(std::string name, std::uint64_t size, Source source);
  /// Of a part of what another Reader reads: a member of an archive, a line. It is called "whole: name" in
  /// messages, and shares the budget of the whole.
  Reader(const Reader& whole, const std::string& name, std::uint64_t size, Source source);
  /// The same of bytes in memory, which must outlive it.
  Reader(const Reader& whole, const std::string& name, std::string_view bytes);

  ///@{
  /// Goes on where the other was; that one must not be read from any more.
  Reader(Reader&&) = default;
  Reader& operator=(Reader&&) = default;
  ///@}

  /// What messages call it.
  const std::string& name() const { return name_; }
  /// All of its bytes.
  std::uint64_t size() const { return size_; }
  /// How many bytes have been read.
  std::uint64_t at() const { return at_; }
  /// How many bytes are left, if the size is true.
  std::uint64_t left() const { return size_ - at_; }
  /// Whether nothing is left.
  bool at_end() { return left() == 0 || (window_.empty() && !refill()); }

  // What follows throws Error "FILE: byte 17: WHAT was expected, but the file ends here".
  /// Reads n bytes to `to`.
  void read(char* to, std::uint64_t n, const char* what);
  /// Reads up to n bytes, as many as come at once, and returns how many; 0 only at the end.
  std::size_t read_some(char* to, std::size_t n);
  /// A number in little-endian order.
  template <class T>
  T take(const char* what) {
    char bytes[sizeof(T)];
    read(bytes, sizeof(T), what);
    return number<T>(bytes);
  }
  /// A number in big-endian order.
  template <class T>
  T take_big(const char* what) {
    char bytes[sizeof(T)];
    read(bytes, sizeof(T), what);
    std::reverse(bytes, bytes + sizeof(T));
    return number<T>(bytes);
  }
  /// The next n bytes, which are charged.
  std::string text(std::uint64_t n, const char* what);
  /// Leaves n bytes out.
  void skip(std::uint64_t n, const char* what);
  /// Throws unless n bytes are left; before memory is made for them.
  void need(std::uint64_t n, const char* what) const;

  /// The bytes up to the next '\n', which is read and left out, or to the end; they are charged.
  std::string line();
  /// Throws Error unless all has been read: also when the source goes on beyond the size.
  void end();

  /// What may still be charged; at first 64 times the size and a MiB.
  std::uint64_t memory() const { return *memory_; }
  /// Sets what may still be charged, for this Reader and those that share its budget.
  void set_memory(std::uint64_t bytes) { *memory_ = bytes; }
  /// Takes memory out of the budget, before it is asked for. Throws Error when that is exceeded; `remedy` is
  /// added to what it says.
  void charge(std::uint64_t bytes, const char* remedy = "");
  /// Throws Error when `depth` exceeds max_depth.
  void check_depth(std::size_t depth) const;

  /// Throws Error "FILE: byte N: message", where N is the place at which the last read began.
  template <class... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> message, Args&&... args) const {
    refuse_at(began_, message, std::forward<Args>(args)...);
  }
  /// The same with a place of your own.
  template <class... Args>
  [[noreturn]] void refuse_at(std::uint64_t byte, fmt::format_string<Args...> message, Args&&... args) const {
    fail("{}: byte {}: {}", name_, byte, fmt::format(message, std::forward<Args>(args)...));
  }
  /// Refuses unless `ok`.
  template <class... Args>
  void expect(bool ok, fmt::format_string<Args...> message, Args&&... args) const {
    if (!ok) [[unlikely]]
      refuse(message, std::forward<Args>(args)...);
  }

 private:
  template <class T>
  static T number(const char* bytes) {
    static_assert(std::endian::native == std::endian::little);
    T value;
    std::copy_n(bytes, sizeof(T), reinterpret_cast<char*>(&value));
    return value;
  }
  bool refill();
  [[noreturn]] void ends_early(const char* what, std::uint64_t rest = 0) const;

  std::string name_;
  std::uint64_t size_, at_ = 0, began_ = 0;
  Source source_;             // none where the bytes are in memory
  std::vector<char> buffer_;  // of what came from the source
  std::string_view window_;   // bytes that are at hand
  std::shared_ptr<std::uint64_t> memory_;
};

}  // namespace xgrad
