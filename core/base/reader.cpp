// Reads untrusted bytes through a window of 64 KiB; what is larger goes straight to where it is wanted.
#include <xgrad/core/base/reader.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <xgrad/core/base/descriptor.hpp>

namespace xgrad {
namespace {

constexpr std::size_t buffer_size = 1 << 16;

std::uint64_t budget(std::uint64_t size) {
  return std::min<std::uint64_t>(size, Reader::unknown >> 8) * 64 + (1 << 20);
}

}  // namespace

Reader::Reader(std::string name, std::uint64_t size, Source source)
    : name_(std::move(name)),
      size_(size),
      source_(std::move(source)),
      memory_(std::make_shared<std::uint64_t>(budget(size))) {}

Reader::Reader(std::string name, std::string_view bytes) : Reader(std::move(name), bytes.size(), nullptr) {
  window_ = bytes;
}

Reader::Reader(const Reader& whole, const std::string& name, std::uint64_t size, Source source)
    : name_(whole.name_ + ": " + name), size_(size), source_(std::move(source)), memory_(whole.memory_) {}

Reader::Reader(const Reader& whole, const std::string& name, std::string_view bytes)
    : Reader(whole, name, bytes.size(), nullptr) {
  window_ = bytes;
}

Reader::Reader(const std::filesystem::path& path) : Reader(path.string(), 0, nullptr) {
  const auto file = std::make_shared<Descriptor>(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!*file || fstat(file->value(), &status)) fail("{}: cannot be opened: {}", name_, std::strerror(errno));
  if (!S_ISREG(status.st_mode))
    fail("{}: cannot be read: it is {}", name_, S_ISDIR(status.st_mode) ? "a folder" : "not a regular file");
  size_ = std::uint64_t(status.st_size);
  *memory_ = budget(size_);
  source_ = [file, name = name_, at = std::uint64_t(0)](char* to, std::size_t n) mutable {
    ssize_t got;
    while ((got = ::read(file->value(), to, n)) < 0 && errno == EINTR) continue;
    if (got < 0) fail("{}: cannot be read beyond byte {}: {}", name, at, std::strerror(errno));
    at += std::uint64_t(got);
    return std::size_t(got);
  };
}

bool Reader::refill() {
  if (!source_) return false;
  buffer_.resize(buffer_size);
  window_ = {buffer_.data(),
             source_(buffer_.data(), std::size_t(std::min<std::uint64_t>(left(), buffer_size)))};
  return !window_.empty();
}

void Reader::read(char* to, std::uint64_t n, const char* what) {
  need(n, what);
  began_ = at_;
  while (n > 0) {
    std::size_t got = std::size_t(std::min<std::uint64_t>(n, window_.size()));
    if (got > 0) {
      std::memcpy(to, window_.data(), got);
      window_.remove_prefix(got);
    } else if (n >= buffer_size && source_) {
      got = source_(to, std::size_t(n));
      if (got == 0) ends_early(what);
    } else if (!refill()) {
      ends_early(what);
    }
    at_ += got;
    to += got;
    n -= got;
  }
}

std::size_t Reader::read_some(char* to, std::size_t n) {
  if (at_end()) return 0;
  if (window_.empty()) refill();
  n = std::size_t(std::min<std::uint64_t>({n, left(), window_.size()}));
  read(to, n, "what is at hand");
  return n;
}

std::string Reader::text(std::uint64_t n, const char* what) {
  need(n, what);
  charge(n);
  std::string bytes(std::size_t(n), '\0');
  read(bytes.data(), n, what);
  return bytes;
}

void Reader::skip(std::uint64_t n, const char* what) {
  need(n, what);
  const std::uint64_t start = at_;
  while (n > 0) {
    if (window_.empty() && !refill()) ends_early(what);
    const auto some = std::min<std::uint64_t>(n, window_.size());
    window_.remove_prefix(std::size_t(some));
    at_ += some;
    n -= some;
  }
  began_ = start;
}

void Reader::need(std::uint64_t n, const char* what) const {
  if (n > left()) ends_early(what, left());
}

std::string Reader::line() {
  std::string bytes;
  began_ = at_;
  while (!at_end()) {
    const auto newline = window_.find('\n');
    const std::size_t n = std::min(newline, window_.size());
    charge(n);
    bytes.append(window_.substr(0, n));
    const std::size_t used = n + (newline != window_.npos);
    window_.remove_prefix(used);
    at_ += used;
    if (used > n) break;
  }
  return bytes;
}

void Reader::end() {
  char beyond;
  if (!window_.empty() || (left() > 0 && !at_end()))
    refuse_at(at_, "the end was expected, but something follows");
  if (left() == 0 && source_ && source_(&beyond, 1) > 0)
    refuse_at(at_, "the end was expected, but more follows than the {} bytes stated", size_);
}

void Reader::charge(std::uint64_t bytes, const char* remedy) {
  if (bytes > *memory_)
    refuse("{} more bytes of memory would be too many for a file of this size{}", bytes, remedy);
  *memory_ -= bytes;
}

void Reader::check_depth(std::size_t depth) const {
  if (depth > max_depth) refuse("nested too deeply: more than {} levels", max_depth);
}

void Reader::ends_early(const char* what, std::uint64_t rest) const {
  refuse_at(at_, "{} was expected, but the file ends {}", what,
            rest == 0 ? "here" : fmt::format("after {} more bytes", rest));
}

}  // namespace xgrad
