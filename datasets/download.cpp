// Downloads by libcurl, where the library is built with it (XGRAD_DOWNLOAD).
#include <xgrad/datasets/download.hpp>

#ifdef XGRAD_DOWNLOAD
#include <curl/curl.h>
#endif
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <iostream>
#include <memory>
#include <vector>

#include <xgrad/core/base/descriptor.hpp>
#include <xgrad/core/base/digest.hpp>
#include <xgrad/core/base/reader.hpp>
#include <xgrad/datasets/progress.hpp>

namespace xgrad {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view prefix = "sha256:";
constexpr int max_redirections = 10;

template <class... Args>
[[noreturn]] void give_up(fmt::format_string<Args...> message, Args&&... args) {
  throw DownloadError(fmt::format(message, std::forward<Args>(args)...));
}

std::string checksum_of(Reader in) {
  Digest sum;
  std::vector<char> buffer(1 << 16);
  while (const std::size_t n = in.read_some(buffer.data(), buffer.size())) sum.add(buffer.data(), n);
  return fmt::format("{}{}", prefix, sum.hex());
}

/// The file that grows. It is locked, and nothing but a plain file of its own: whoever can write into the
/// folder cannot lead the download elsewhere.
class Part {
 public:
  explicit Part(const fs::path& path) : path_(path) {
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    if (error) give_up("'{}' cannot be written: {}", path.string(), error.message());
    file_ = Descriptor(
        open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644));
    struct stat status {};
    if (!file_ && errno != ELOOP && errno != EISDIR && errno != ENXIO) cannot("written");
    if (!file_ || fstat(file_.value(), &status) || !S_ISREG(status.st_mode) || status.st_nlink > 1)
      give_up("'{}' is not a regular file but a link, a folder or the like; remove it and try again",
              path.string());
    // Another process may have finished and renamed the file before it was locked here.
    struct stat named {};
    if (flock(file_.value(), LOCK_EX | LOCK_NB) || lstat(path.c_str(), &named) ||
        named.st_ino != status.st_ino)
      give_up("'{}' is being downloaded by another process", path.string());
    fstat(file_.value(), &status);
    size = status.st_size;
  }

  /// False, with errno, when that fails.
  bool append(const char* bytes, std::size_t n) {
    while (n > 0) {
      const ssize_t written = write(file_.value(), bytes, n);
      if (written < 0 && errno != EINTR) return false;
      if (written < 0) continue;
      bytes += written;
      n -= std::size_t(written);
      size += written;
    }
    return true;
  }
  void restart() {
    if (ftruncate(file_.value(), 0)) cannot("emptied");
    size = 0;
  }
  std::string checksum() const {
    return checksum_of(
        Reader(path_.string(), std::uint64_t(size),
               [file = file_.value(), name = path_, at = off_t(0)](char* to, std::size_t n) mutable {
                 const ssize_t got = pread(file, to, n, at);
                 if (got < 0) give_up("'{}' cannot be read: {}", name.string(), strerror(errno));
                 at += got;
                 return std::size_t(got);
               }));
  }
  /// Flushes it to disk and gives it its name.
  void finish(const fs::path& destination) {
    const fs::path folder = fs::absolute(destination).parent_path();
    if (fsync(file_.value()) || ::rename(path_.c_str(), destination.c_str())) cannot("flushed to disk");
    // Some file systems refuse this for folders.
    fsync(Descriptor(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)).value());
  }
  void remove() { unlink(path_.c_str()); }

  long size = 0;

 private:
  [[noreturn]] void cannot(const char* what) const {
    give_up("'{}' cannot be {}: {}", path_.string(), what, std::strerror(errno));
  }
  fs::path path_;
  Descriptor file_{-1};
};

/// One request and what came of it.
struct Transfer {
  void* curl;  // libcurl's handle
  Part& part;
  std::uint64_t limit;
  DownloadProgress* progress;
  long from;                       // the bytes that were there and are not asked for
  long range_start = -1;           // where the server says that its part begins
  long status = 0;                 // HTTP's
  bool begun = false;              // the first bytes of the file itself have come
  std::string why, location = {};  // what went wrong; where the file has moved to
  std::exception_ptr error = {};   // thrown in what libcurl calls: it must not pass through there
};
/// Of the Latin alphabet, whatever the locale.
std::string in_small_letters(std::string text) {
  for (char& c : text)
    if ('A' <= c && c <= 'Z') c = char(c - 'A' + 'a');
  return text;
}

#ifdef XGRAD_DOWNLOAD
/// Does what libcurl calls for; `otherwise` ends the transfer.
template <class F, class Result>
Result within_curl(void* context, Result otherwise, F f) {
  auto& t = *static_cast<Transfer*>(context);
  try {
    return f(t);
  } catch (...) {
    t.error = std::current_exception();
    return otherwise;
  }
}

std::size_t take_header(char* bytes, std::size_t, std::size_t n, void* context) {
  return within_curl(context, std::size_t(0), [=](Transfer& t) {
    const std::string line = in_small_letters({bytes, n});
    if (line.starts_with("http/")) t.range_start = -1;
    std::sscanf(line.c_str(), "content-range: bytes %ld-", &t.range_start);
    return n;
  });
}

/// Returns another number than n where the transfer is to end, and says why.
std::size_t take_bytes(char* bytes, std::size_t, std::size_t n, void* context) {
  return within_curl(context, std::size_t(0), [=](Transfer& t) {
    const auto refuse = [&](std::string why) {
      t.why = std::move(why);
      return std::size_t(0);
    };
    curl_easy_getinfo(t.curl, CURLINFO_RESPONSE_CODE, &t.status);
    if (t.status != 200 && t.status != 206) return n;             // a page that explains
    if (!t.begun && t.status == 200 && t.from) t.part.restart();  // this server sends it from the start
    if (!t.begun && t.status == 206 && t.range_start != t.from)
      return refuse(fmt::format("the server sent a part that does not begin at byte {}", t.from));
    if (!t.begun && t.status == 200) t.from = 0;
    t.begun = true;
    if (std::uint64_t(t.part.size) + n > t.limit)
      return refuse(fmt::format("the server sent more than the {} bytes expected", t.limit));
    return t.part.append(bytes, n) ? n
                                   : refuse(fmt::format("it cannot be written: {}", std::strerror(errno)));
  });
}

int report(void* context, curl_off_t total, curl_off_t now, curl_off_t, curl_off_t) {
  return within_curl(context, 1, [=](Transfer& t) {
    if (t.progress) t.progress->update(t.from + now, total ? t.from + total : 0);
    return 0;
  });
}

/// Asks for what is missing. True when the server has sent all that it meant to.
bool perform(Transfer& t, const std::string& url) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::unique_ptr<CURL, void (*)(CURL*)> curl(started == CURLE_OK ? curl_easy_init() : nullptr,
                                                    curl_easy_cleanup);
  if (!curl) give_up("libcurl failed to initialise");
  t.curl = curl.get();
  char message[CURL_ERROR_SIZE] = "";
  const std::string range = fmt::format("{}-", t.from);
  const auto set = [&](CURLoption option, auto value) { curl_easy_setopt(curl.get(), option, value); };
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_WRITEFUNCTION, take_bytes);
  set(CURLOPT_WRITEDATA, &t);
  set(CURLOPT_HEADERFUNCTION, take_header);
  set(CURLOPT_HEADERDATA, &t);
  if (t.from) set(CURLOPT_RANGE, range.c_str());
  set(CURLOPT_ERRORBUFFER, message);
  set(CURLOPT_XFERINFOFUNCTION, report);
  set(CURLOPT_XFERINFODATA, &t);
  set(CURLOPT_USERAGENT, "xgrad");
  set(CURLOPT_FAILONERROR, 1L);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_CONNECTTIMEOUT, 10L);
  set(CURLOPT_LOW_SPEED_LIMIT, 1000L);  // bytes per second, for 30 s: the line is dead
  set(CURLOPT_LOW_SPEED_TIME, 30L);
  const CURLcode code = curl_easy_perform(curl.get());
  if (t.error) std::rethrow_exception(t.error);
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &t.status);
  const char* location = nullptr;
  curl_easy_getinfo(curl.get(), CURLINFO_REDIRECT_URL, &location);
  if (location) t.location = location;
  if (code != CURLE_OK && t.why.empty()) t.why = *message ? message : curl_easy_strerror(code);
  return code == CURLE_OK;
}

#else
bool perform(Transfer& t, const std::string&) {
  t.why = "xgrad was built without downloads (-Ddownload=false)";
  return false;
}
#endif

/// What lies before the first colon, in small letters.
std::string scheme(const std::string& url) { return in_small_letters(url.substr(0, url.find(':'))); }

/// One request, and those that a redirection leads to.
Transfer request(std::string url, Part& part, std::uint64_t limit, DownloadProgress* progress) {
  if (!may_redirect(url, url)) give_up("{} cannot be fetched: only http and https are", url);
  for (int hops = 0;; ++hops) {
    Transfer t{
        .curl = nullptr, .part = part, .limit = limit, .progress = progress, .from = part.size, .why = ""};
    const bool whole = perform(t, url);
    if (t.location.empty()) {
      if (whole && t.status != 200 && t.status != 206)
        t.why = fmt::format("the server answered {}", t.status);
      return t;
    }
    if (!may_redirect(url, t.location))
      give_up("{} cannot be fetched: it redirects to {}, but only {} is followed from there", url, t.location,
              scheme(url) == "https" ? "https" : "http or https");
    if (hops == max_redirections)
      give_up("{} cannot be fetched: it is redirected more than {} times", url, max_redirections);
    url = t.location;
  }
}

/// Goes on as long as each request brings something more; servers do drop long transfers.
void fetch(const std::string& url, Part& part, const fs::path& path, std::uint64_t limit,
           DownloadProgress* progress) {
  for (bool restarted = false;;) {
    const long before = part.size;
    const Transfer t = request(url, part, limit, progress);
    if (t.why.empty()) return;
    if (t.status == 416 && before > 0 && !std::exchange(restarted, true)) {
      part.restart();  // the .part is not a prefix of the server's file
    } else if (part.size <= before) {
      if (!part.size) part.remove();
      give_up("{} cannot be fetched: {}{}", url, t.why,
              part.size ? fmt::format(" ('{}' is kept, to be resumed)", path.string()) : "");
    } else if (std::uint64_t(part.size) >= limit || t.why.starts_with("it cannot be written")) {
      part.remove();
      give_up("{} cannot be fetched: {}", url, t.why);
    }
  }
}

}  // namespace

std::string sha256(const fs::path& file) { return checksum_of(Reader(file)).substr(prefix.size()); }

bool may_redirect(const std::string& from, const std::string& to) {
  return scheme(to) == "https" || (scheme(to) == "http" && scheme(from) == "http");
}

void remove_abandoned_part(const fs::path& destination) {
  fs::path path = destination;
  path += ".part";
  try {
    Part(path).remove();
  } catch (const DownloadError&) {
    // It is another process's, or it cannot be removed: it does no harm.
  }
}

void download(const std::string& url, const fs::path& destination, const std::string& checksum, bool verbose,
              std::uint64_t size) {
  expect(checksum.starts_with(prefix) && checksum.size() == prefix.size() + 64,
         "download: the checksum '{}' does not read 'sha256:' and 64 hexadecimal digits", checksum);
  std::error_code ignored;
  if (const auto type = fs::symlink_status(destination, ignored).type(); type == fs::file_type::regular) {
    const std::string found = prefix.data() + sha256(destination);
    return expect(found == checksum,
                  "download: '{}' already exists, but it has {}, not {}; remove it and try again",
                  destination.string(), found, checksum);
  } else {
    expect(type == fs::file_type::not_found || type == fs::file_type::none,
           "download: '{}' is not a regular file but a link, a folder or the like; remove it and try again",
           destination.string());
  }
  fs::path path = destination;
  path += ".part";
  Part part(path);
  const std::uint64_t limit = size ? size : max_download;
  DownloadProgress progress(destination.filename().string(), std::cerr, isatty(STDERR_FILENO));
  // What an earlier call left may be the whole file, a part of it, or something else.
  bool resumed = part.size > 0;
  std::string found = resumed && (!size || part.size == long(size)) ? part.checksum() : "";
  if (found != checksum && std::uint64_t(part.size) >= limit) part.restart();
  while (found != checksum) {
    fetch(url, part, path, limit, verbose ? &progress : nullptr);
    found = part.checksum();
    if (found == checksum) break;
    part.restart();
    if (std::exchange(resumed, false)) continue;
    part.remove();
    fail(
        "download: what {} sent has {}, not {}; it was removed, so try again, or fetch the file by other "
        "means and put it at '{}'",
        url, found, checksum, destination.string());
  }
  part.finish(destination);
}

}  // namespace xgrad
