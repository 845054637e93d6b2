#pragma once
// Prefetch: values made ahead, on a thread of their own.
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <system_error>
#include <thread>

#include <xgrad/core/base/error.hpp>

namespace xgrad {

/// Calls make() again and again on a thread of its own, until it throws, and is at most `depth` values ahead
/// of next(). The end of a Prefetch waits for the value that is being made. A child that is forked has no
/// such thread: there, next() throws Error, and a Prefetch must not be destroyed.
template <class T>
class Prefetch {
 public:
  /// Starts the thread, and with it the first value; `depth` is at least 1. Throws Error when the system
  /// starts none.
  Prefetch(std::function<T()> make, std::size_t depth)
      : make_(std::move(make)), depth_(depth), thread_(started()) {}

  ~Prefetch() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  Prefetch(const Prefetch&) = delete;
  Prefetch& operator=(const Prefetch&) = delete;

  /// Whether this process is a child of the one that the thread runs in.
  bool forked() const { return process_ != getpid(); }

  /// The values in the order in which they were made; then rethrows what make() threw, each time.
  T next() {
    expect(!forked(), "prefetch: the thread that makes the values is not in this process, which was forked");
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !ready_.empty() || error_; });
    if (ready_.empty()) std::rethrow_exception(error_);
    T value = std::move(ready_.front());
    ready_.pop_front();
    changed_.notify_all();
    return value;
  }

 private:
  std::thread started() try {
    return std::thread([this] { run(); });
  } catch (const std::system_error& error) {
    fail("prefetch: cannot start a thread to make values ahead: {}", error.code().message());
  }
  void run() try {
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return ended_ || ready_.size() < depth_; });
        if (ended_) return;
      }
      T value = make_();
      const std::lock_guard lock(mutex_);
      ready_.push_back(std::move(value));
      changed_.notify_all();
    }
  } catch (...) {
    const std::lock_guard lock(mutex_);
    error_ = std::current_exception();
    changed_.notify_all();
  }

  std::function<T()> make_;
  std::size_t depth_;
  const pid_t process_ = getpid();
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<T> ready_;
  std::exception_ptr error_;
  bool ended_ = false;
  std::thread thread_;  // last: the others are there when it starts, and until it has ended
};

}  // namespace xgrad
