#pragma once
// Files from the network: downloaded, checked, unpacked. A name appears only when what it names is whole.
#include <filesystem>
#include <string>

#include "core/error.hpp"

namespace xgrad {

/// A file could not be fetched: no network, an HTTP error, no place to write it.
struct DownloadError : Error {
  using Error::Error;
};

/// The hexadecimal digest of a file; the algorithm is a name that OpenSSL knows, as "md5" or "sha256".
/// Throws Error when there is no such algorithm or the file cannot be read.
std::string digest(const std::filesystem::path& file, const std::string& algorithm);

/// Fetches `url` into the file `destination`, whose folder is made if need be. `checksum` reads "md5:" or
/// "sha256:" and the digest. The file grows as `destination`.part, which a later call resumes, and is renamed
/// when its checksum is right. A destination that exists is checked and kept. Shows progress on stderr if
/// `verbose`. Throws DownloadError when it cannot be fetched (a connection that takes more than 10 s counts
/// as none), Error when the checksum is wrong: the .part is removed then.
void download(const std::string& url, const std::filesystem::path& destination, const std::string& checksum,
              bool verbose = true);

/// Unpacks a tar archive, gzipped or not, into `folder`; what lies at its top appears there at once by
/// renaming, when all of it is unpacked. Throws Error and leaves `folder` as it was when the archive is
/// damaged, when it holds anything but files and folders below `folder` (absolute paths, "..", links), or
/// when something of that name is there already.
void unpack(const std::filesystem::path& archive, const std::filesystem::path& folder);

}  // namespace xgrad
