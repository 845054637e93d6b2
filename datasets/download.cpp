// Downloads by libcurl, checksums by OpenSSL.
#include "datasets/download.hpp"

#include <curl/curl.h>
#include <fmt/ranges.h>
#include <openssl/evp.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <memory>
#include <utility>
#include <vector>

#include "datasets/progress.hpp"

namespace xgrad {
namespace {

namespace fs = std::filesystem;

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using File = std::unique_ptr<std::FILE, Close>;

template <class... Args>
[[noreturn]] void give_up(fmt::format_string<Args...> message, Args&&... args) {
  throw DownloadError(fmt::format(message, std::forward<Args>(args)...));
}

/// Opens the .part for appending. The lock keeps a second process from writing into it.
File open_part(const fs::path& part) {
  std::error_code error;
  fs::create_directories(part.parent_path(), error);
  File file(error ? nullptr : std::fopen(part.c_str(), "ab"));
  if (!file)
    give_up("'{}' cannot be written: {}", part.string(), error ? error.message() : std::strerror(errno));
  if (flock(fileno(file.get()), LOCK_EX | LOCK_NB))
    give_up("'{}' is being downloaded by another process", part.string());
  return file;
}

struct Transfer {
  DownloadProgress* progress;
  curl_off_t from;  // bytes that were there before
};
int report(void* context, curl_off_t total, curl_off_t now, curl_off_t, curl_off_t) {
  const auto& t = *static_cast<Transfer*>(context);
  if (t.progress) t.progress->update(t.from + now, total ? t.from + total : 0);
  return 0;
}

/// One request for what follows the first `from` bytes, appended to the file; `why` tells what went wrong.
CURLcode transfer(const std::string& url, std::FILE* file, long from, DownloadProgress* progress,
                  std::string& why) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::unique_ptr<CURL, Close> curl(started == CURLE_OK ? curl_easy_init() : nullptr);
  if (!curl) give_up("libcurl does not start");
  char message[CURL_ERROR_SIZE] = "";
  Transfer state{progress, from};
  const auto set = [&](CURLoption option, auto value) { curl_easy_setopt(curl.get(), option, value); };
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_WRITEDATA, file);
  set(CURLOPT_RESUME_FROM_LARGE, curl_off_t(from));
  set(CURLOPT_ERRORBUFFER, message);
  set(CURLOPT_XFERINFOFUNCTION, report);
  set(CURLOPT_XFERINFODATA, &state);
  set(CURLOPT_USERAGENT, "xgrad");
  set(CURLOPT_FOLLOWLOCATION, 1L);
  set(CURLOPT_FAILONERROR, 1L);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_CONNECTTIMEOUT, 10L);
  set(CURLOPT_LOW_SPEED_LIMIT, 1000L);  // bytes per second, for 30 s: the line is dead
  set(CURLOPT_LOW_SPEED_TIME, 30L);
  const CURLcode code = curl_easy_perform(curl.get());
  why = *message ? message : curl_easy_strerror(code);
  return code;
}

long flushed_size(std::FILE* file, const fs::path& part) {
  if (std::fflush(file) || fsync(fileno(file)))
    give_up("'{}' cannot be written: {}", part.string(), std::strerror(errno));
  return long(fs::file_size(part));
}

/// Goes on as long as each request brings something more; servers do drop long transfers.
void fetch(const std::string& url, std::FILE* file, const fs::path& part, DownloadProgress* progress) {
  std::string why;
  bool restarted = false;
  for (long size = flushed_size(file, part);;) {
    const CURLcode code = transfer(url, file, size, progress, why);
    const long before = std::exchange(size, flushed_size(file, part));
    if (code == CURLE_OK) return;
    if (code == CURLE_RANGE_ERROR && !std::exchange(restarted, true)) {
      fs::resize_file(part, 0);  // this server cannot resume
      size = 0;
    } else if (size == before || code == CURLE_WRITE_ERROR) {
      if (!size) fs::remove(part);
      give_up("{} cannot be fetched: {}{}", url, why,
              size ? fmt::format(" ('{}' is kept, to be resumed)", part.string()) : "");
    }
  }
}

/// The checksum that the file has instead of the one wanted, or "".
std::string mismatch(const fs::path& file, const std::string& checksum) {
  const auto colon = checksum.find(':');
  expect(colon != std::string::npos, "download: the checksum '{}' does not read 'md5:...'", checksum);
  const std::string found = checksum.substr(0, colon + 1) + digest(file, checksum.substr(0, colon));
  return found == checksum ? "" : found;
}

}  // namespace

std::string digest(const fs::path& file, const std::string& algorithm) {
  const std::unique_ptr<EVP_MD_CTX, Close> context(EVP_MD_CTX_new());
  const EVP_MD* kind = EVP_get_digestbyname(algorithm.c_str());
  expect(context && kind && EVP_DigestInit_ex(context.get(), kind, nullptr),
         "digest: OpenSSL offers no '{}' here", algorithm);
  const File in(std::fopen(file.c_str(), "rb"));
  expect(in != nullptr, "digest: '{}' cannot be read: {}", file.string(), std::strerror(errno));
  std::vector<unsigned char> buffer(1 << 20);
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), in.get()))
    EVP_DigestUpdate(context.get(), buffer.data(), n);
  expect(!std::ferror(in.get()), "digest: '{}' cannot be read to its end", file.string());
  unsigned int length = 0;
  EVP_DigestFinal_ex(context.get(), buffer.data(), &length);
  return fmt::format("{:02x}", fmt::join(buffer.begin(), buffer.begin() + length, ""));
}

void download(const std::string& url, const fs::path& destination, const std::string& checksum,
              bool verbose) {
  std::error_code ignored;
  if (fs::exists(destination, ignored)) {
    const std::string found = mismatch(destination, checksum);
    return expect(found.empty(),
                  "download: '{}' is there already, but it has {} and not {}; remove it and try again",
                  destination.string(), found, checksum);
  }
  fs::path part = destination;
  part += ".part";
  const File file = open_part(part);
  DownloadProgress progress(destination.filename().string(), std::cerr, isatty(STDERR_FILENO));
  fetch(url, file.get(), part, verbose ? &progress : nullptr);
  if (const std::string found = mismatch(part, checksum); !found.empty()) {
    fs::remove(part);
    fail(
        "download: what {} sent has {} and not {}; it was removed, so try again, or fetch the file by other "
        "means and "
        "put it at '{}'",
        url, found, checksum, destination.string());
  }
  fs::rename(part, destination);
}

}  // namespace xgrad
