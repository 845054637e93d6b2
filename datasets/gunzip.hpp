#pragma once
// What gzip packed, read like any other file.
#include <xgrad/core/base/reader.hpp>

namespace xgrad {

/// The file's bytes, unpacked if they are gzipped; the Reader is called "FILE: unpacked" then, and its size
/// is not known. It may be charged what `limits` say. Throws Error when the file cannot be read; the Reader
/// does when it is damaged or truncated, or when something follows its end.
Reader gunzipped(const std::filesystem::path& file, const LoadLimits& limits = {});

}  // namespace xgrad
