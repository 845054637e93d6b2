// safetensors: eight bytes of length, a JSON header, the data one after another.
#include "nn/checkpoint.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "core/error.hpp"
#include "core/files.hpp"

namespace xgrad {
namespace {

using Json = nlohmann::ordered_json;
static_assert(std::endian::native == std::endian::little, "safetensors is little-endian");

constexpr const char* format_names[] = {"F32", "F64", "I64", "U8"};
constexpr std::uint64_t longest_header = 100'000'000;  // as the reference implementation has it

DType dtype_named(const std::string& file, const std::string& array, const std::string& name) {
  for (int i = 0; i < 4; ++i)
    if (name == format_names[i]) return DType(i);
  fail("{}: array {} has dtype {}; F32, F64, I64 and U8 can be read", file, array, name);
}

/// Parses the header as the reference implementation does: an object that begins with the first byte, without
/// a key given twice. Throws Error.
Json parse_header(const std::string& file, const std::string& text) {
  expect(text.starts_with('{'), "{}: the header of this safetensors file begins with byte {}, not with '{{'",
         file, text.empty() ? 0 : int(std::uint8_t(text[0])));
  std::vector<std::set<std::string>> keys;  // of the objects that are open
  return Json::parse(text, [&](int depth, Json::parse_event_t event, Json& parsed) {
    expect(depth <= 100, "{}: the header of this safetensors file is nested too deeply", file);
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key)
      expect(keys.back().insert(parsed.get<std::string>()).second,
             "{}: the header of this safetensors file has {} twice", file, parsed.dump());
    return true;
  });
}

/// Integers from 0 on: 2.7, -1 and "3" are refused, where a conversion would take them.
template <class T>
std::vector<T> counts(const std::string& file, const std::string& name, const Json& entry,
                      const char* field) {
  const Json& list = entry.at(field);
  const bool all = list.is_array() && std::all_of(list.begin(), list.end(), [](const Json& n) {
                     return n.is_number_unsigned() && std::in_range<T>(n.get<std::uint64_t>());
                   });
  expect(all, "{}: array {}: {} is {}, not a list of integers from 0 on", file, name, field, list.dump());
  return list.get<std::vector<T>>();
}

/// Throws Error unless the arrays fill the data without overlap or gap, as the reference implementation asks.
void check_filled(const std::string& file, std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges,
                  std::uint64_t data_size) {
  std::sort(ranges.begin(), ranges.end());
  std::uint64_t at = 0;
  for (auto& [begin, end] : ranges) {
    expect(begin == at, "{}: the arrays {} at byte {} of the data, where {} was expected", file,
           begin < at ? "overlap" : "leave a gap", begin, at);
    at = end;
  }
  expect(at == data_size, "{}: the arrays fill {} bytes of data, and the file has {}", file, at, data_size);
}

/// One entry of the header, checked against the size of the data.
NamedArray read_array(const std::string& file, const std::string& name, const Json& entry, std::istream& in,
                      std::uint64_t data_start, std::uint64_t data_size,
                      std::vector<std::pair<std::uint64_t, std::uint64_t>>& ranges) {
  const auto offsets = counts<std::uint64_t>(file, name, entry, "data_offsets");
  const auto dims = counts<long>(file, name, entry, "shape");
  expect(offsets.size() == 2 && offsets[0] <= offsets[1] && offsets[1] <= data_size,
         "{}: array {} does not lie within the {} bytes of data; the file is truncated or damaged", file,
         name, data_size);
  expect(int(dims.size()) <= max_rank, "{}: array {} has {} axes; at most {} are possible", file, name,
         dims.size(), max_rank);
  const DType dtype = dtype_named(file, name, entry.at("dtype").get<std::string>());
  const Shape shape(dims.begin(), dims.end());
  check_shape(fmt::format("{}: array {}", file, name).c_str(), shape, width(dtype));
  expect(std::uint64_t(shape.size() * width(dtype)) == offsets[1] - offsets[0],
         "{}: array {} of shape {} has {} bytes at offset {}", file, name, shape, offsets[1] - offsets[0],
         data_start + offsets[0]);
  Array array(shape, dtype);
  in.seekg(std::streamoff(data_start + offsets[0]));
  in.read(array.mutable_bytes(), std::streamsize(array.byte_size()));
  expect(bool(in), "{}: cannot read array {} at offset {}", file, name, data_start + offsets[0]);
  ranges.emplace_back(offsets[0], offsets[1]);
  return {name, array};
}

}  // namespace

const Array& Tensors::at(const std::string& name) const {
  auto found = std::find_if(arrays.begin(), arrays.end(), [&](auto& a) { return a.name == name; });
  expect(found != arrays.end(), "tensors: there is no array {}", name);
  return found->value;
}

void save_tensors(const std::string& path, const Tensors& tensors) {
  Json header = Json::object();
  if (!tensors.metadata.empty()) header["__metadata__"] = tensors.metadata;
  std::uint64_t at = 0;
  for (auto& [name, array] : tensors.arrays) {
    expect(!header.contains(name), "{}: two arrays are called {}", path, name);
    const auto size = std::uint64_t(array.byte_size());
    header[name] = {{"dtype", format_names[int(array.dtype())]},
                    {"shape", std::vector<long>(array.shape().begin(), array.shape().end())},
                    {"data_offsets", {at, at + size}}};
    at += size;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // the data is aligned
  replace_file(path, [&](std::ostream& out) {
    const std::uint64_t length = text.size();
    out.write(reinterpret_cast<const char*>(&length), sizeof length);
    out << text;
    for (auto& [name, array] : tensors.arrays) out.write(array.bytes(), std::streamsize(array.byte_size()));
  });
}

Tensors load_tensors(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  expect(bool(in) && !std::filesystem::is_directory(path), "{}: cannot be opened", path);
  const std::uint64_t size = std::filesystem::file_size(path);
  std::uint64_t length = 0;
  in.read(reinterpret_cast<char*>(&length), sizeof length);
  expect(bool(in) && length <= longest_header && length + 8 <= size,
         "{}: this is no safetensors file, or a truncated one: {} bytes", path, size);
  std::string text(length, '\0');
  in.read(text.data(), std::streamsize(length));
  Tensors tensors;
  try {
    const Json header = parse_header(path, text);
    std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;
    for (auto& [name, entry] : header.items()) {
      if (name == "__metadata__")
        tensors.metadata = entry.get<std::map<std::string, std::string>>();
      else
        tensors.arrays.push_back(read_array(path, name, entry, in, 8 + length, size - 8 - length, ranges));
    }
    check_filled(path, std::move(ranges), size - 8 - length);
  } catch (const Json::exception& e) {
    fail("{}: the header of this safetensors file is damaged: {}", path, e.what());
  }
  return tensors;
}

const Array& detail::fitting(const Tensors& tensors, const std::string& source, const std::string& name,
                             const Array& like) {
  auto found =
      std::find_if(tensors.arrays.begin(), tensors.arrays.end(), [&](auto& a) { return a.name == name; });
  expect(found != tensors.arrays.end(), "{}: has no {}, which the model needs", source, name);
  const Array& array = found->value;
  expect(array.shape() == like.shape() && array.dtype() == like.dtype(),
         "{}: {} is {} of {}, the model's {} of {}", source, name, array.shape(), array.dtype(), like.shape(),
         like.dtype());
  return array;
}

void detail::check_all_used(const Tensors& tensors, const std::string& source, std::size_t leaves) {
  expect(tensors.arrays.size() == leaves, "{}: holds {} arrays, the model {}; it belongs to another model",
         source, tensors.arrays.size(), leaves);
}

}  // namespace xgrad
