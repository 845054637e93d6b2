// safetensors: eight bytes of length, a JSON header, the data one after another.
#include <xgrad/nn/formats/checkpoint.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <numeric>
#include <set>
#include <utility>

#include <xgrad/core/base/digest.hpp>
#include <xgrad/core/base/files.hpp>
#include <xgrad/nn/formats/json.hpp>

namespace xgrad {
namespace {

using detail::Json;
static_assert(std::endian::native == std::endian::little, "safetensors is little-endian");

constexpr const char* safetensors_name(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return "F32";
    case DType::f64:
      return "F64";
    case DType::i64:
      return "I64";
    case DType::i32:
      return "I32";
    case DType::u8:
      return "U8";
    case DType::boolean:
      return "BOOL";
    case DType::f16:
      return "F16";
    case DType::bf16:
      return "BF16";
  }
  __builtin_unreachable();
}
constexpr std::uint64_t longest_header = 100'000'000;  // as the reference implementation has it

/// Where a file of ours says what its contents were: SHA-256 of all of it, with zeros in this place.
constexpr const char* digest_key = "xgrad_sha256";
const std::string no_digest(64, '0');

/// What the header says of an array; its bytes are counted from the end of the header.
struct Entry {
  std::string name;
  DType dtype;
  Shape shape;
  std::uint64_t begin, end;
};
struct Header {
  std::vector<Entry> entries;
  std::map<std::string, std::string> metadata;
};

/// Integers from 0 on: 2.7, -1 and "3" are refused, where a conversion would take them.
template <class T>
std::vector<T> counts(const Reader& in, const std::string& name, const Json& entry, const char* field) {
  const Json& list = entry.at(field);
  const bool all = list.is_array() && std::all_of(list.begin(), list.end(), [](const Json& n) {
                     return n.is_number_unsigned() && std::in_range<T>(n.get<std::uint64_t>());
                   });
  in.expect(all, "array {}: {} is {}, not a list of non-negative integers", name, field,
            list.dump().substr(0, 80));
  return list.get<std::vector<T>>();
}

/// One entry of the header, checked against the size of the data.
Entry read_entry(const Reader& in, const std::string& name, const Json& entry, std::uint64_t data_size) {
  for (const char* field : {"dtype", "shape", "data_offsets"})
    in.expect(entry.is_object() && entry.contains(field), "array {} has no {}", name, field);
  const auto offsets = counts<std::uint64_t>(in, name, entry, "data_offsets");
  const auto dims = counts<long>(in, name, entry, "shape");
  in.expect(offsets.size() == 2 && offsets[0] <= offsets[1] && offsets[1] <= data_size,
            "array {} does not lie within the {} bytes of data; the file is truncated or damaged", name,
            data_size);
  in.expect(int(dims.size()) <= max_rank, "array {} has {} axes; at most {} are supported", name, dims.size(),
            max_rank);
  const Json& type = entry.at("dtype");
  // Not compared as Json: each name would become one, and end the process without memory for it.
  const auto* text = type.get_ptr<const std::string*>();
  const auto known = std::find_if(std::begin(all_dtypes), std::end(all_dtypes),
                                  [&](DType dtype) { return text && *text == safetensors_name(dtype); });
  in.expect(known != std::end(all_dtypes),
            "array {} has dtype {}; F32, F64, F16, BF16, I64, I32, U8 and BOOL can be read", name,
            type.dump().substr(0, 80));
  const DType dtype = *known;
  const Shape shape(dims.begin(), dims.end());
  check_shape(fmt::format("{}: byte {}: array {}", in.name(), in.at(), name).c_str(), shape, width(dtype));
  in.expect(std::uint64_t(shape.size() * width(dtype)) == offsets[1] - offsets[0],
            "array {} of shape {} has {} bytes", name, shape, offsets[1] - offsets[0]);
  return {name, dtype, shape, offsets[0], offsets[1]};
}

/// Reads the header, which begins with the first byte as the reference implementation has it.
Header read_header(Reader in, std::uint64_t data_size, bool begins) {
  in.expect(begins, "the header of a safetensors file begins with '{{'");
  Header header;
  detail::read_object(in, [&](const std::string& name, const Json& entry) {
    if (name != "__metadata__") {
      header.entries.push_back(read_entry(in, name, entry, data_size));
      return;
    }
    in.expect(entry.is_object(), "{} is not an object of strings", name);
    for (auto& [key, text] :
         entry.get_ref<const Json::object_t&>()) {  // items() ends the process without memory
      in.expect(text.is_string(), "{}: {} is {}, not a string", name, key, text.dump().substr(0, 80));
      header.metadata[key] = text.get<std::string>();
    }
  });
  return header;
}

/// The entries in the order of their data. Throws Error unless they fill it without overlap or gap, as the
/// reference implementation asks: what is read is no more than the file has.
std::vector<std::size_t> order_of_data(const Reader& in, const std::vector<Entry>& entries,
                                       std::uint64_t data_size) {
  std::vector<std::size_t> order(entries.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(entries[a].begin, entries[a].end) < std::pair(entries[b].begin, entries[b].end);
  });
  std::uint64_t at = 0;
  for (std::size_t i : order) {
    const Entry& entry = entries[i];
    if (entry.begin != at)
      in.refuse_at(in.at() + at, "array {} {}: it begins at byte {} of the data, where {} was expected",
                   entry.name, entry.begin < at ? "overlaps another" : "leaves a gap", entry.begin, at);
    at = entry.end;
  }
  if (at != data_size)
    in.refuse_at(in.at() + at, "the arrays fill {} bytes of data, and the file has {}", at, data_size);
  return order;
}

/// The bytes before the data: the length of the header, and the header.
std::string beginning(const std::string& header) {
  const std::uint64_t length = header.size();
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + header;
}

/// The header that describes tensors.
std::string header_text(const std::string& path, const Tensors& tensors) {
  auto quoted = [&](const std::string& text) {
    try {
      return Json(text).dump();
    } catch (const Json::exception&) {
      fail("{}: the name of an array or a string of the metadata is not UTF-8", path);
    }
  };
  std::string header = "{\"__metadata__\":{";
  for (auto& [key, text] : tensors.metadata)
    if (key != digest_key) header += fmt::format("{}:{},", quoted(key), quoted(text));
  header += fmt::format("\"{}\":\"{}\"}}", digest_key, no_digest);
  std::uint64_t at = 0;
  std::set<std::string_view> names{"__metadata__"};
  for (auto& [name, array] : tensors.arrays) {
    expect(names.insert(name).second, "{}: two arrays are called {}", path, name);
    const auto end = at + std::uint64_t(array.byte_size());
    header += fmt::format(",{}:{{\"dtype\":\"{}\",\"shape\":[{}],\"data_offsets\":[{},{}]}}", quoted(name),
                          safetensors_name(array.dtype()),
                          fmt::join(array.shape().begin(), array.shape().end(), ","), at, end);
    at = end;
  }
  return header + "}";
}

}  // namespace

const Array& Tensors::at(const std::string& name) const {
  auto found = std::find_if(arrays.begin(), arrays.end(), [&](auto& a) { return a.name == name; });
  expect(found != arrays.end(), "tensors: no array is named {}", name);
  return found->value;
}

void save_tensors(const std::string& path, const Tensors& tensors) {
  std::string text = header_text(path, tensors);
  text.resize((text.size() + 7) / 8 * 8, ' ');  // the data is aligned
  text = beginning(text);
  Digest digest;
  digest.add(text.data(), text.size());
  for (auto& [name, array] : tensors.arrays) digest.add(array.bytes(), std::size_t(array.byte_size()));
  const std::string place = fmt::format("\"{}\":\"", digest_key);
  text.replace(text.find(place + no_digest) + place.size(), no_digest.size(), digest.hex());
  replace_file(path, [&](std::ostream& out) {
    out << text;
    for (auto& [name, array] : tensors.arrays) out.write(array.bytes(), std::streamsize(array.byte_size()));
  });
}

Tensors load_tensors(const std::string& path) {
  Reader in{std::filesystem::path(path)};
  const auto length = in.take<std::uint64_t>("the length of a safetensors header");
  in.expect(
      length <= longest_header && length <= in.left(),
      "this is not a safetensors file, or a truncated one: its header would have {} bytes, and {} follow",
      length, in.left());
  std::string text = in.text(length, "the header");
  const std::uint64_t data_size = in.left();
  Header header = read_header(Reader(in, "header", text), data_size, text.starts_with('{'));
  const auto order = order_of_data(in, header.entries, data_size);

  const auto stated = header.metadata.extract(digest_key);
  const auto place = stated ? text.find(stated.mapped()) : text.npos;
  if (place != text.npos) text.replace(place, stated.mapped().size(), no_digest);
  Digest digest;
  text = beginning(text);
  digest.add(text.data(), text.size());
  Tensors tensors{{}, std::move(header.metadata)};
  tensors.arrays.resize(header.entries.size());
  for (std::size_t i : order) {
    const Entry& entry = header.entries[i];
    Array array(entry.shape, entry.dtype);
    in.read(array.mutable_bytes(), entry.end - entry.begin, "the data of an array");
    if (entry.dtype == DType::boolean)
      for (const char* byte = array.bytes(); byte < array.bytes() + array.size(); ++byte)
        if (*byte != 0 && *byte != 1)
          in.refuse_at(in.at() - std::uint64_t(array.size() - (byte - array.bytes())),
                       "array {}: {} is not a bool, 0 or 1", entry.name, int(*byte));
    if (stated) digest.add(array.bytes(), std::size_t(array.byte_size()));
    tensors.arrays[i] = {entry.name, std::move(array)};
  }
  if (stated)
    expect(digest.hex() == stated.mapped(),
           "{}: is damaged: its SHA-256 is not the one that was saved with it; fetch or make it again, or "
           "remove "
           "{} from its metadata if another program changed it on purpose",
           path, digest_key);
  return tensors;
}

Rename::Rename(const std::map<std::string, std::string>& names)
    : Rename([=](const std::string& name) {
        const auto found = names.find(name);
        return found == names.end() ? name : found->second;
      }) {}

LoadReport detail::load_leaves(const Leaves& leaves, const std::vector<NamedArray>& arrays,
                               const std::string& source, const LoadOptions& options) {
  std::map<std::string, const NamedArray*> given;
  LoadReport report;
  std::vector<std::string> mismatched;
  for (auto& array : arrays) {
    const std::string name = options.rename(array.name);
    if (name.empty()) continue;
    const auto [place, first] = given.try_emplace(name, &array);
    expect(first, "{}: {} and {} would both become {}", source, place->second->name, array.name, name);
  }
  std::vector<std::pair<const Leaf*, Array>> taken;
  for (auto& leaf : leaves) {
    const auto entry = given.extract(leaf.name);
    if (entry.empty()) {
      report.missing.push_back(leaf.name);
      continue;
    }
    const Array& like = leaf.data();
    Array array = entry.mapped()->value;
    if (is_floating(array.dtype()) && arithmetic(array.dtype()) == like.dtype())
      array = array.cast(like.dtype());
    if (!(array.shape() == like.shape()) || array.dtype() != like.dtype())
      mismatched.push_back(fmt::format("{} is {} of {}, the model's {} of {}", leaf.name, array.shape(),
                                       array.dtype(), like.shape(), like.dtype()));
    taken.emplace_back(&leaf, std::move(array));
  }
  for (auto& array : arrays)
    if (given.contains(options.rename(array.name))) report.unexpected.push_back(array.name);
  std::vector<std::string> faults;
  if (options.strict && !report.missing.empty())
    faults.push_back(fmt::format("it lacks {}", fmt::join(report.missing, ", ")));
  if (options.strict && !report.unexpected.empty())
    faults.push_back(fmt::format("the model has no {}", fmt::join(report.unexpected, ", ")));
  if (!mismatched.empty()) faults.push_back(fmt::format("{}", fmt::join(mismatched, ", ")));
  if (!faults.empty())
    fail("{}: does not fit the model: {}{}", source, fmt::join(faults, "; "),
         faults.size() == std::size_t(!mismatched.empty())
             ? ""
             : "; .rename gives arrays other names, and .strict = false loads those that fit");
  for (auto& [leaf, array] : taken) leaf->set_data(std::move(array));
  return report;
}

}  // namespace xgrad
