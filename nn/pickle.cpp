// Pickles of NumPy arrays: the stack machine of Python's pickle, without anything that could run code
// (https://github.com/python/cpython/blob/main/Lib/pickletools.py describes the opcodes).
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <map>
#include <variant>

#include "core/error.hpp"
#include "nn/numpy.hpp"
#include "nn/numpy_array.hpp"

namespace xgrad {
namespace {

struct Item;
using Ref = Item*;  // the machine owns all items: they may hold each other, and are freed without recursion

struct None {};
struct Mark {};
struct Bytes {
  std::string text;
};
struct Global {
  std::string name;  // "numpy.dtype"
};
struct Tuple {
  std::vector<Ref> items;
};
struct List {
  std::vector<Ref> items;
};
struct Dict {
  std::vector<std::pair<Ref, Ref>> items;
};
struct Type {
  std::string name;  // "<f4"
};
struct Item {
  std::variant<None, Mark, long, double, std::string, Bytes, Global, Tuple, List, Dict, Type, Array> value;
};

/// What the machine may name; calling them makes arrays and nothing else.
constexpr std::string_view reconstruct = "numpy.core.multiarray._reconstruct", ndarray = "numpy.ndarray",
                           dtype = "numpy.dtype", encode = "_codecs.encode";

class Machine {
 public:
  Machine(const std::string& path, std::string_view bytes) : path_(path), bytes_(bytes) {}

  Ref run() {
    while (true) {
      start_ = at_;
      const auto code = take<std::uint8_t>();
      if (code == '.') return pop();
      step(char(code));
    }
  }
  template <class... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> message, Args&&... args) const {
    fail("{}: byte {}: {}", path_, start_, fmt::format(message, std::forward<Args>(args)...));
  }

 private:
  void step(char code) {
    switch (code) {
      case '\x80':  // PROTO
        if (const int protocol = take<std::uint8_t>(); protocol < 2 || protocol > 4)
          refuse("pickle protocol {} cannot be read; 2 to 4 can", protocol);
        return;
      case '\x95':  // FRAME
        take<std::uint64_t>();
        return;
      case '(':
        return push(Mark());
      case 'N':
        return push(None());
      case '\x88':
        return push(1l);
      case '\x89':
        return push(0l);
      case 'K':
        return push(long(take<std::uint8_t>()));
      case 'M':
        return push(long(take<std::uint16_t>()));
      case 'J':
        return push(long(take<std::int32_t>()));
      case '\x8a':
        return push(long_integer());
      case 'G':
        return push(big_endian_double());
      case '\x8c':
        return push(text(take<std::uint8_t>()));
      case 'X':
        return push(text(take<std::uint32_t>()));
      case '\x8d':
        return push(text(take<std::uint64_t>()));
      case 'C':
      case 'U':
        return push(Bytes{text(take<std::uint8_t>())});
      case 'B':
      case 'T':
        return push(Bytes{text(take<std::uint32_t>())});
      case '\x8e':
        return push(Bytes{text(take<std::uint64_t>())});
      case ')':
        return push(Tuple());
      case '\x85':
        return tuple(1);
      case '\x86':
        return tuple(2);
      case '\x87':
        return tuple(3);
      case 't':
        return push(Tuple{since_mark()});
      case ']':
        return push(List());
      case 'a':
        return append({pop()});
      case 'e':
        return append(since_mark());
      case '}':
        return push(Dict());
      case 's': {
        const Ref value = pop(), key = pop();
        return set_items({key, value});
      }
      case 'u':
        return set_items(since_mark());
      case 'q':
        memo_[take<std::uint8_t>()] = top();
        return;
      case 'r':
        memo_[take<std::uint32_t>()] = top();
        return;
      case '\x94':
        memo_.emplace(memo_.size(), top());
        return;
      case 'h':
        return recall(take<std::uint8_t>());
      case 'j':
        return recall(take<std::uint32_t>());
      case '0':
        pop();
        return;
      case 'c': {
        const std::string module = line(), name = line();
        return global(module + "." + name);
      }
      case '\x93': {
        const std::string name = string(pop()), module = string(pop());
        return global(module + "." + name);
      }
      case 'R':
        return call();
      case 'b':
        return build();
      default:
        refuse("opcode 0x{:02x} is refused: only NumPy arrays, dicts, lists, texts and numbers are read",
               std::uint8_t(code));
    }
  }

  template <class T>
  T take() {
    T value;
    std::memcpy(&value, text(sizeof value).data(), sizeof value);
    return value;
  }
  std::string text(std::uint64_t length) {
    if (length > bytes_.size() - at_) refuse("the file ends here; it is truncated or no pickle");
    at_ += length;
    return std::string(bytes_.substr(at_ - length, length));
  }
  std::string line() {
    const auto end = bytes_.find('\n', at_);
    if (end == bytes_.npos) refuse("the file ends here; it is truncated or no pickle");
    const std::string result(bytes_.substr(at_, end - at_));
    at_ = end + 1;
    return result;
  }
  long long_integer() {
    const std::string digits = text(take<std::uint8_t>());
    if (digits.size() > 8) refuse("a number of {} bytes is too large", digits.size());
    if (digits.empty()) return 0;
    std::uint64_t value = digits.back() & 0x80 ? ~0ull : 0;
    for (std::size_t i = digits.size(); i-- > 0;) value = value << 8 | std::uint8_t(digits[i]);
    return long(value);
  }
  double big_endian_double() {
    std::string digits = text(8);
    double value;
    std::memcpy(&value, std::string(digits.rbegin(), digits.rend()).data(), 8);
    return value;
  }

  void push(decltype(Item::value) value) {
    items_.push_back(Item{std::move(value)});
    stack_.push_back(&items_.back());
  }
  Ref top() {
    if (stack_.empty()) refuse("this is no valid pickle: nothing is on the stack");
    return stack_.back();
  }
  Ref pop() {
    Ref item = top();
    stack_.pop_back();
    return item;
  }
  std::vector<Ref> since_mark() {
    std::size_t mark = stack_.size();
    while (mark > 0 && !std::holds_alternative<Mark>(stack_[mark - 1]->value)) --mark;
    if (mark == 0) refuse("this is no valid pickle: there is no mark on the stack");
    std::vector<Ref> items(stack_.begin() + long(mark), stack_.end());
    stack_.resize(mark - 1);
    return items;
  }
  void tuple(int n) {
    std::vector<Ref> items;
    for (int i = 0; i < n; ++i) items.insert(items.begin(), pop());
    push(Tuple{std::move(items)});
  }
  void recall(std::size_t place) {
    const auto found = memo_.find(place);
    if (found == memo_.end()) refuse("this is no valid pickle: nothing was remembered at {}", place);
    stack_.push_back(found->second);
  }
  template <class T>
  T& as(const Ref& item, const char* what) {
    if (T* value = std::get_if<T>(&item->value)) return *value;
    refuse("this is no valid pickle of arrays: {} was expected", what);
  }
  std::string string(const Ref& item) {
    if (auto* bytes = std::get_if<Bytes>(&item->value)) return bytes->text;
    return as<std::string>(item, "a text");
  }
  void append(const std::vector<Ref>& items) {
    auto& list = as<List>(top(), "a list").items;
    list.insert(list.end(), items.begin(), items.end());
  }
  void set_items(const std::vector<Ref>& items) {
    if (items.size() % 2) refuse("this is no valid pickle: a key has no value");
    auto& dict = as<Dict>(top(), "a dict").items;
    for (std::size_t i = 0; i < items.size(); i += 2) dict.emplace_back(items[i], items[i + 1]);
  }
  void global(std::string name) {
    if (name == "numpy._core.multiarray._reconstruct") name = reconstruct;  // NumPy 2
    if (name != reconstruct && name != ndarray && name != dtype && name != encode)
      refuse("{} is refused: only NumPy arrays, dicts, lists, texts and numbers are read", name);
    push(Global{std::move(name)});
  }
  void call() {
    const Ref arguments = pop(), what = pop();
    const auto& items = as<Tuple>(arguments, "a tuple of arguments").items;
    const std::string& name = as<Global>(what, "a name").name;
    if (name == dtype && !items.empty()) return push(Type{string(items[0])});
    if (name == reconstruct) return push(Array());
    if (name == encode && items.size() == 2) return push(Bytes{latin1(string(items[0]))});
    refuse("calling {} is refused", name);
  }
  /// The bytes that protocol 2 wrote as text, each a character.
  std::string latin1(const std::string& utf8) {
    std::string bytes;
    for (std::size_t i = 0; i < utf8.size(); ++i) {
      const auto c = std::uint8_t(utf8[i]);
      if (c < 0x80) {
        bytes += char(c);
      } else {
        if (c > 0xc3 || i + 1 == utf8.size()) refuse("a text that should hold bytes holds other characters");
        bytes += char((c & 3) << 6 | (utf8[++i] & 0x3f));
      }
    }
    return bytes;
  }
  void build() {
    const Ref state = pop(), target = top();
    const auto& items = as<Tuple>(state, "a tuple").items;
    if (auto* type = std::get_if<Type>(&target->value)) {  // (version, byte order, ...)
      if (items.size() < 2) refuse("this is no valid pickle of a dtype");
      type->name = string(items[1]) + type->name;
    } else if (auto* array = std::get_if<Array>(&target->value)) {  // (version, shape, dtype, order, bytes)
      if (items.size() != 5) refuse("this is no valid pickle of an array");
      std::vector<long> shape;
      for (auto& n : as<Tuple>(items[1], "a shape").items) shape.push_back(as<long>(n, "a length"));
      if (!std::holds_alternative<Bytes>(items[4]->value))
        refuse("an array of Python objects is refused: only numbers are read");
      *array =
          detail::from_numpy(fmt::format("{}: byte {}", path_, start_), as<Type>(items[2], "a dtype").name,
                             shape, as<long>(items[3], "an order"), as<Bytes>(items[4], "bytes").text);
    } else {
      refuse("this is no valid pickle of arrays: something other than an array has a state");
    }
  }

  const std::string& path_;
  std::string_view bytes_;
  std::size_t at_ = 0, start_ = 0;
  std::deque<Item> items_;
  std::vector<Ref> stack_;
  std::map<std::size_t, Ref> memo_;
};

constexpr int max_depth = 100;

/// The arrays below an item. Depth and `left`, the number of items, are bounded: a list may hold itself, and
/// a few lists that hold each other twice are many.
void collect(const Machine& machine, const std::string& name, Ref item, int depth, long& left,
             Tensors& found) {
  if (--left < 0 || depth > max_depth || name.size() > 1000)
    machine.refuse("the dicts and lists are nested too deeply");
  if (auto* array = std::get_if<Array>(&item->value)) {
    if (!array->defined()) machine.refuse("array '{}' has no elements", name);
    found.arrays.push_back({name, *array});
  } else if (auto* dict = std::get_if<Dict>(&item->value)) {
    for (auto& [key, value] : dict->items) {
      auto* text = std::get_if<std::string>(&key->value);
      auto* bytes = std::get_if<Bytes>(&key->value);
      if (!text && !bytes) machine.refuse("a key of the dict '{}' is no text", name);
      const std::string& part = text ? *text : bytes->text;
      collect(machine, name.empty() ? part : name + "." + part, value, depth + 1, left, found);
    }
  } else if (auto* list = std::get_if<List>(&item->value)) {
    for (std::size_t i = 0; i < list->items.size(); ++i)
      collect(machine, name.empty() ? fmt::format("{}", i) : fmt::format("{}.{}", name, i), list->items[i],
              depth + 1, left, found);
  }  // texts and numbers beside arrays are left out
}

}  // namespace

Tensors load_pickle(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  expect(bool(in) && !std::filesystem::is_directory(path), "{}: cannot be opened", path);
  std::string bytes(std::filesystem::file_size(path), '\0');
  in.read(bytes.data(), std::streamsize(bytes.size()));
  expect(bool(in), "{}: cannot be read beyond byte {}", path, in.gcount());
  Machine machine(path, bytes);
  Tensors found;
  long left = 100'000;
  collect(machine, "", machine.run(), 0, left, found);
  return found;
}

}  // namespace xgrad
