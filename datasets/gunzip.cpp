// Unpacks by zlib, a piece at a time.
#include <xgrad/datasets/gunzip.hpp>

#include <zlib.h>

#include <memory>

namespace xgrad {
namespace {

class Inflater {
 public:
  explicit Inflater(Reader packed) : packed_(std::move(packed)), buffer_(1 << 16) {
    expect(inflateInit2(&z_, 15 + 16) == Z_OK, "{}: zlib failed to initialise",
           packed_.name());  // 16: gzip's format
  }
  ~Inflater() { inflateEnd(&z_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  std::size_t operator()(char* to, std::size_t n) {
    z_.next_out = reinterpret_cast<Bytef*>(to);
    const uInt room = z_.avail_out = uInt(std::min<std::size_t>(n, 1 << 30));
    while (!ended_ && z_.avail_out == room) {
      if (z_.avail_in == 0 && !packed_.at_end()) {
        z_.next_in = reinterpret_cast<Bytef*>(buffer_.data());
        z_.avail_in = uInt(std::min<std::uint64_t>(packed_.left(), buffer_.size()));
        packed_.read(buffer_.data(), z_.avail_in, "gzip data");
      }
      const bool nothing_left = z_.avail_in == 0;
      const int code = inflate(&z_, Z_NO_FLUSH);
      ended_ = code == Z_STREAM_END;
      if (ended_ && (z_.avail_in > 0 || !packed_.at_end()))
        refuse("the end was expected, but something follows");
      if (!ended_ && nothing_left && z_.avail_out == room)
        refuse("more gzip data was expected, but the file is truncated");
      if (!ended_ && code != Z_OK && code != Z_BUF_ERROR) refuse(z_.msg ? z_.msg : "it is not gzip data");
    }
    return room - z_.avail_out;
  }

 private:
  [[noreturn]] void refuse(const char* why) const {
    packed_.refuse_at(packed_.at() - z_.avail_in, "damaged: {}; fetch it again", why);
  }
  Reader packed_;
  std::vector<char> buffer_;
  z_stream z_{};
  bool ended_ = false;
};

}  // namespace

Reader gunzipped(const std::filesystem::path& file, const LoadLimits& limits) {
  Reader whole(file);
  char magic[2] = {};
  if (whole.size() >= 2) whole.read(magic, 2, "a gzip file's first bytes");
  const std::uint64_t budget = std::max(limits.unpacked, 16 * whole.size());
  Reader packed(file);
  packed.set_memory(budget);
  if (magic[0] != '\x1f' || magic[1] != '\x8b') return packed;
  const auto inflater = std::make_shared<Inflater>(std::move(packed));
  Reader unpacked(file.string() + ": unpacked", Reader::unknown,
                  [inflater](char* to, std::size_t n) { return (*inflater)(to, n); });
  unpacked.set_memory(budget);
  return unpacked;
}

}  // namespace xgrad
