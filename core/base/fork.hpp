#pragma once
// What a child that is forked must find as it was (private to core).
#include <mutex>

namespace xgrad::threads {

/// Takes a mutex before each fork() and releases it afterwards, so that the child does not find it taken by
/// a thread that it does not have. The mutex is to live as long as the process.
void keep_over_fork(std::mutex& mutex);

}  // namespace xgrad::threads
