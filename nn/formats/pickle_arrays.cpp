// What a pickle may name and call: the parts of NumPy that arrays are made of.
#include <algorithm>

#include <xgrad/nn/formats/numpy_array.hpp>
#include <xgrad/nn/formats/pickle_machine.hpp>

namespace xgrad::detail {

using Bytes = Pickled::Bytes;
using Type = Pickled::Type;
using Global = Pickled::Global;
using Ref = Pickled::Ref;

void PickleMachine::global(const std::string& name) {
  std::string known = name;
  if (known.starts_with("numpy._core.")) known.erase(6, 1);  // NumPy 2
  constexpr std::pair<std::string_view, Global> globals[] = {
      {"numpy.core.multiarray._reconstruct", Global::reconstruct},
      {"numpy.core.multiarray.scalar", Global::scalar},
      {"numpy.core.numeric._frombuffer", Global::frombuffer},
      {"numpy.ndarray", Global::ndarray},
      {"numpy.dtype", Global::dtype},
      {"_codecs.encode", Global::encode},
      {"__builtin__.bytes", Global::bytes},
      {"builtins.bytes", Global::bytes},
      {"__builtin__.bytearray", Global::bytes},
      {"builtins.bytearray", Global::bytes}};
  const auto found =
      std::find_if(std::begin(globals), std::end(globals), [&](auto& entry) { return entry.first == known; });
  if (found == std::end(globals))
    refuse("{} is refused: only NumPy arrays, dicts, lists, strings and numbers are read",
           name.substr(0, 100));
  push(found->second);
}

void PickleMachine::call() {
  const auto& items = items_of_tuple(pop(), "a tuple of arguments");
  const std::size_t n = items.size();
  switch (as<Global>(pop(), "a name")) {
    case Global::reconstruct:
      return push(Array());
    case Global::dtype:
      if (n == 0) break;
      in_.charge(string(items[0]).size());
      return push(Type{string(items[0])});
    case Global::scalar:
      if (n == 2) return push(array(items[0], {}, false, items[1]));
      break;
    case Global::frombuffer:
      if (n == 4) return push(array(items[1], shape(items[2]), string(items[3]) == "F", items[0]));
      break;
    case Global::encode:  // protocols before 3 write bytes as a text, each a character
      if (n == 2) return push(Bytes{latin1(string(items[0]))});
      break;
    case Global::bytes:
      if (n == 0) return push(Bytes());
      if (auto* bytes = n == 1 ? std::get_if<Bytes>(&items[0]->value) : nullptr) {
        in_.charge(bytes->text.size());
        return push(Bytes(*bytes));
      }
      break;
    case Global::ndarray:
      break;
  }
  refuse("a call with {} arguments is refused", n);
}

void PickleMachine::build() {
  const auto& items = items_of_tuple(pop(), "a tuple");
  const Ref target = top();
  if (auto* type = std::get_if<Type>(&target->value)) {  // (version, byte order, ...)
    if (items.size() < 2 || type->name.size() > 8) refuse("this is not a valid pickle of a dtype");
    type->name = string(items[1]).substr(0, 8) + type->name;
  } else if (auto* result = std::get_if<Array>(&target->value)) {  // (version, shape, dtype, order, bytes)
    if (items.size() != 5) refuse("this is not a valid pickle of an array");
    *result = array(items[2], shape(items[1]), as<long>(items[3], "an order"), items[4]);
  } else {
    refuse("this is not a valid pickle of arrays: something other than an array has a state");
  }
}

Array PickleMachine::array(Ref type, const std::vector<long>& shape, bool fortran_order, Ref bytes) {
  if (!std::holds_alternative<Bytes>(bytes->value))
    refuse("an array of Python objects is refused: only numbers are read");
  const std::string& text = as<Bytes>(bytes, "bytes").text;
  Reader part(in_, fmt::format("array at byte {}", start_), text);
  Array result = read_elements(part, as<Type>(type, "a dtype").name, shape, fortran_order);
  part.end();
  return result;
}

std::vector<long> PickleMachine::shape(Ref tuple) {
  std::vector<long> lengths;
  for (const Ref item : items_of_tuple(tuple, "a shape")) {
    lengths.push_back(as<long>(item, "a length"));
    if (lengths.back() < 0 || lengths.size() > max_depth)
      refuse("a length in a shape is negative, or there are too many");
  }
  return lengths;
}

std::string PickleMachine::latin1(const std::string& utf8) {
  in_.charge(utf8.size());
  std::string bytes;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto c = std::uint8_t(utf8[i]);
    if (c < 0x80) {
      bytes += char(c);
    } else {
      if (c < 0xc2 || c > 0xc3 || i + 1 == utf8.size() || (utf8[i + 1] & 0xc0) != 0x80)
        refuse("a string that should hold bytes holds other characters");
      bytes += char((c & 3) << 6 | (utf8[++i] & 0x3f));
    }
  }
  return bytes;
}

}  // namespace xgrad::detail
