// Checksums by OpenSSL.
#include <xgrad/core/base/digest.hpp>

#include <fmt/ranges.h>
#include <openssl/evp.h>

#include <xgrad/core/base/error.hpp>

namespace xgrad {

Digest::Digest(const std::string& algorithm) : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
  const EVP_MD* kind = EVP_get_digestbyname(algorithm.c_str());
  expect(context_ && kind && EVP_DigestInit_ex(context_.get(), kind, nullptr) == 1,
         "digest: this OpenSSL does not offer '{}'", algorithm);
}

void Digest::add(const void* bytes, std::size_t n) {
  expect(EVP_DigestUpdate(context_.get(), bytes, n) == 1, "digest: OpenSSL failed to take more bytes");
}

std::string Digest::hex() {
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  expect(EVP_DigestFinal_ex(context_.get(), bytes, &length) == 1,
         "digest: OpenSSL failed to give the checksum");
  return fmt::format("{:02x}", fmt::join(bytes, bytes + length, ""));
}

}  // namespace xgrad
