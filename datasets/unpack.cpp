// Unpacks archives by libarchive.
#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <set>

#include <xgrad/core/base/descriptor.hpp>
#include <xgrad/core/base/files.hpp>
#include <xgrad/datasets/download.hpp>
#include <xgrad/datasets/gunzip.hpp>

namespace xgrad {
namespace {

namespace fs = std::filesystem;

constexpr long max_entries = 100'000;
constexpr const char* scratch = ".unpack-";

Descriptor open_folder(const fs::path& path) {
  return Descriptor(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

/// A folder of its own beside the result, so that the last step is a rename; removed with what is left in it.
/// It is locked as long as its process lives.
struct Scratch {
  explicit Scratch(const fs::path& folder) {
    std::error_code error;
    fs::create_directories(folder, error);
    // One process at a time looks for what others have left, and makes and locks a folder of its own.
    const Descriptor turn(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    flock(turn.value(), LOCK_EX);
    remove_abandoned(folder);
    path = (folder / scratch).string() + "XXXXXX";
    if (error || !mkdtemp(path.data())) fail("unpack: cannot write into '{}'", folder.string());
    lock = open_folder(path);
    flock(lock.value(), LOCK_EX);
  }
  ~Scratch() { remove_folder(path.c_str()); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  /// Removes what processes that were killed have left.
  static void remove_abandoned(const fs::path& folder) {
    std::error_code ignored;
    for (const std::string& name : names_in(folder, ignored)) {
      if (!name.starts_with(scratch)) continue;
      const Descriptor theirs = open_folder(folder / name);  // none where it is a file or a link
      if (theirs && flock(theirs.value(), LOCK_EX | LOCK_NB) == 0) remove_folder((folder / name).c_str());
    }
  }
  std::string path;
  Descriptor lock{-1};
};

/// What libarchive reads: an exception must not pass through it.
struct Input {
  Reader in;
  std::vector<char> buffer = std::vector<char>(1 << 16);
  std::exception_ptr error = nullptr;
  std::uint64_t begin = 0;  // where in the archive the buffer begins
  std::size_t size = 0;     // how much of it is filled

  static la_ssize_t read(archive* a, void* self, const void** bytes) {
    auto& input = *static_cast<Input*>(self);
    *bytes = input.buffer.data();
    try {
      input.size = input.in.read_some(input.buffer.data(), input.buffer.size());
    } catch (...) {
      input.error = std::current_exception();
      archive_set_error(a, EIO, "its file cannot be read");
      return -1;
    }
    input.begin = input.in.at() - input.size;
    return la_ssize_t(input.size);
  }
  /// Refuses anything but zeros from a byte on that is in the buffer or follows it.
  void expect_zeros(std::uint64_t from) {
    for (std::size_t i = std::size_t(std::max(from, begin) - begin);; i = 0) {
      for (; i < size; ++i)
        if (buffer[i])
          in.refuse_at(begin + i, "zeros were expected after the archive's end, but more follows");
      begin = in.at();
      size = in.read_some(buffer.data(), buffer.size());
      if (size == 0) return;
    }
  }
};

class Extraction {
 public:
  Extraction(const fs::path& file, const LoadLimits& limits)
      : file_(file), input_{gunzipped(file, limits)}, left_(input_.in.memory()), in_(archive_read_new()) {
    if (!in_) throw std::bad_alloc();
    check(archive_read_support_format_tar(in_.get()));
    check(archive_read_open(in_.get(), &input_, nullptr, Input::read, nullptr));
  }
  void to(const fs::path& folder) {
    archive_entry* entry = nullptr;
    for (long entries = 0;; ++entries) {
      const int code = archive_read_next_header(in_.get(), &entry);
      if (code == ARCHIVE_EOF) return input_.expect_zeros(std::uint64_t(archive_filter_bytes(in_.get(), 0)));
      check(code);
      if (entries == max_entries) refuse("", "it has more than {} entries", max_entries);
      const fs::path path = checked_path(entry);
      std::error_code error;
      const bool is_folder = archive_entry_filetype(entry) == AE_IFDIR;
      fs::create_directories(is_folder ? folder / path : (folder / path).parent_path(), error);
      if (error) refuse(path.string(), "cannot be created: {}", error.message());
      if (!is_folder) write_file(path, folder / path, entry);
    }
  }

 private:
  struct Free {
    void operator()(archive* a) const { archive_read_free(a); }
  };
  template <class... Args>
  [[noreturn]] void refuse(const std::string& entry, fmt::format_string<Args...> why, Args&&... args) const {
    fail("{}: refused: {}{}; nothing was unpacked", file_.string(),
         entry.empty() ? "" : fmt::format("its entry '{}' ", entry),
         fmt::format(why, std::forward<Args>(args)...));
  }
  /// Throws Error unless libarchive's last call went well. A warning (an odd owner, say) does no harm.
  void check(long code) const {
    if (code >= ARCHIVE_WARN) return;
    if (input_.error) std::rethrow_exception(input_.error);
    const char* why = archive_error_string(in_.get());
    fail("{}: damaged near byte {} (unpacked): {}; remove it and fetch it again", file_.string(),
         input_.in.at(), why ? why : "unknown error");
  }
  /// An entry's path, which must lead to a place of its own below the folder it is unpacked into.
  fs::path checked_path(archive_entry* entry) {
    const char* name = archive_entry_pathname(entry);
    const std::string text = name ? name : "";
    if (std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 127; }))
      refuse("", "an entry's name holds control characters");
    const fs::path path = text;
    if (path.empty()) refuse("", "an entry has no name");
    if (path.is_absolute() || std::find(path.begin(), path.end(), "..") != path.end())
      refuse(text, "leads out of the folder");
    if (std::size_t(std::distance(path.begin(), path.end())) > max_depth)
      refuse("", "an entry is nested too deeply");
    const auto type = archive_entry_filetype(entry);
    if ((type != AE_IFREG && type != AE_IFDIR) || archive_entry_hardlink(entry))
      refuse(text, "is neither a file nor a folder");
    if (archive_entry_sparse_count(entry) > 0) refuse(text, "is a sparse file");
    if (type == AE_IFREG && !files_.insert(path.lexically_normal()).second) refuse(text, "occurs twice");
    return path;
  }
  void write_file(const fs::path& name, const fs::path& to, archive_entry* entry) {
    if (const auto size = archive_entry_size(entry); size < 0 || std::uint64_t(size) > left_)
      refuse(name.string(), "has {} bytes, more than may be unpacked (LoadLimits)", size);
    left_ -= std::uint64_t(archive_entry_size(entry));
    const Descriptor out(open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (!out) refuse(name.string(), "cannot be created: {}", std::strerror(errno));
    std::vector<char> buffer(1 << 16);
    for (;;) {
      const la_ssize_t n = archive_read_data(in_.get(), buffer.data(), buffer.size());
      check(n);
      if (n == 0) break;
      for (la_ssize_t done = 0; done < n;) {
        const ssize_t some = write(out.value(), buffer.data() + done, std::size_t(n - done));
        if (some < 0 && errno != EINTR) refuse(name.string(), "cannot be written: {}", std::strerror(errno));
        done += std::max<ssize_t>(some, 0);
      }
    }
    if (fsync(out.value())) refuse(name.string(), "cannot be flushed to disk: {}", std::strerror(errno));
  }
  fs::path file_;
  Input input_;
  std::uint64_t left_;
  std::set<fs::path> files_;
  std::unique_ptr<archive, Free> in_;
};

}  // namespace

void unpack(const fs::path& archive, const fs::path& folder, const LoadLimits& limits) {
  const Scratch scratch(folder);
  Extraction(archive, limits).to(scratch.path);
  std::error_code error;
  const auto names = names_in(scratch.path, error);
  for (const std::string& name : names)
    expect(!fs::exists(folder / name), "unpack: '{}' already exists; move it away to unpack '{}'",
           (folder / name).string(), archive.string());
  for (const std::string& name : names)
    if (!error) fs::rename(fs::path(scratch.path) / name, folder / name, error);
  if (error)
    fail("{}: its files cannot be moved into '{}': {}", archive.string(), folder.string(), error.message());
  fsync(open_folder(folder).value());  // some file systems refuse this for folders
}

}  // namespace xgrad
