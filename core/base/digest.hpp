#pragma once
// Checksums of what comes in parts.
#include <memory>
#include <string>

struct evp_md_ctx_st;  // OpenSSL's

namespace xgrad {

/// The checksum of all bytes that were added.
class Digest {
 public:
  /// By an algorithm that OpenSSL has. Throws Error when it has none of that name.
  explicit Digest(const std::string& algorithm = "sha256");
  /// Takes n more bytes in.
  void add(const void* bytes, std::size_t n);
  /// The checksum in hexadecimal digits; nothing can be added after it.
  std::string hex();

 private:
  std::unique_ptr<evp_md_ctx_st, void (*)(evp_md_ctx_st*)> context_;
};

}  // namespace xgrad
