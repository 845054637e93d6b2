#pragma once
// What tests/faults/calls.cpp, when it is preloaded, offers to programs.

/// What can fail: write, pwrite and writev; fsync; rename; close and fclose; open and fopen; malloc and all
/// else that allocates.
enum Call { write_call, fsync_call, rename_call, close_call, open_call, malloc_call };

extern "C" {
/// Counts calls from here on, and lets the n-th of this kind fail (none, if `call` is -1).
[[gnu::weak]] void faults_begin(int call, long n);
/// No further call is counted or fails.
[[gnu::weak]] void faults_end();
/// The calls of this kind that were counted.
[[gnu::weak]] long faults_count(int call);
}
