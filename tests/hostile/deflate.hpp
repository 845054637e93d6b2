#pragma once
// Bytes as zlib packs them, for hostile files.
#include <zlib.h>

#include <stdexcept>
#include <string>

namespace xgrad::tests {

/// Packed by deflate with zlib's header (window 15), gzip's (31) or, as in ZIP archives, none (-15).
inline std::string deflated(const std::string& bytes, int window) {
  z_stream z{};
  if (deflateInit2(&z, 9, Z_DEFLATED, window, 9, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("zlib");
  std::string packed(deflateBound(&z, bytes.size()), '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  z.avail_in = uInt(bytes.size());
  z.next_out = reinterpret_cast<Bytef*>(packed.data());
  z.avail_out = uInt(packed.size());
  deflate(&z, Z_FINISH);
  packed.resize(z.total_out);
  deflateEnd(&z);
  return packed;
}

}  // namespace xgrad::tests
