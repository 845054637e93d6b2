// safetensors: eight bytes of length, a JSON header, the data one after another.
#include "nn/checkpoint.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

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

/// One entry of the header, checked against the size of the data.
NamedArray read_array(const std::string& file, const std::string& name, const Json& entry, std::istream& in,
                      std::uint64_t data_start, std::uint64_t data_size) {
  const auto offsets = entry.at("data_offsets").get<std::vector<std::uint64_t>>();
  const auto dims = entry.at("shape").get<std::vector<long>>();
  expect(offsets.size() == 2 && offsets[0] <= offsets[1] && offsets[1] <= data_size,
         "{}: array {} does not lie within the {} bytes of data; the file is truncated or damaged", file,
         name, data_size);
  expect(int(dims.size()) <= max_rank && std::all_of(dims.begin(), dims.end(), [](long n) { return n >= 0; }),
         "{}: array {} has a shape that cannot be", file, name);
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
    const Json header = Json::parse(text);
    for (auto& [name, entry] : header.items()) {
      if (name == "__metadata__")
        tensors.metadata = entry.get<std::map<std::string, std::string>>();
      else
        tensors.arrays.push_back(read_array(path, name, entry, in, 8 + length, size - 8 - length));
    }
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
