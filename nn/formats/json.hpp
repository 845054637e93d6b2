#pragma once
// JSON that comes from outside, checked while it is read (private to nn).
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include <xgrad/core/base/reader.hpp>

namespace xgrad::detail {

/// Not the ordered kind: a list of its grows by copying entries, and a copy that cannot be finished ends the
/// process.
using Json = nlohmann::json;

/// Reads a JSON object, all that is left in `in`, and hands out its entries one after another, so that no
/// more than one is in memory. Throws Error that names the file and the byte: for anything else, for a key
/// that an object has twice, and beyond max_depth.
void read_object(Reader& in, const std::function<void(const std::string& key, const Json& value)>& entry);

/// Empties a value. Its destructor, when something is in it, asks for memory, and ends the process when there
/// is none; of what is empty or a single text or number it does not. So objects are written as text, not
/// built.
void take_apart(Json& value);
/// A text or number as JSON; what is not UTF-8 or not finite is replaced.
std::string json_of(const Json& value);

}  // namespace xgrad::detail
