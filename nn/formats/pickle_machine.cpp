// The opcodes of pickle (https://github.com/python/cpython/blob/main/Lib/pickletools.py describes them).
#include <xgrad/nn/formats/pickle_machine.hpp>

#include <algorithm>
#include <charconv>

#include <xgrad/core/base/number_text.hpp>
#include <xgrad/nn/formats/numpy_array.hpp>

namespace xgrad::detail {

using List = Pickled::List;
using Dict = Pickled::Dict;
using Bytes = Pickled::Bytes;
using Type = Pickled::Type;
using Global = Pickled::Global;
using Ref = Pickled::Ref;

Ref PickleMachine::run() {
  while (true) {
    start_ = in_.at();
    const char code = in_.take<char>("an opcode");
    if (code != '.') {
      step(code);
      continue;
    }
    const Ref result = pop();
    in_.end();
    return result;
  }
}

void PickleMachine::step(char code) {
  if (push_number(code) || push_text(code) || push_container(code) || use_memo(code)) return;
  switch (code) {
    case '\x80':  // PROTO
      if (const int protocol = argument<std::uint8_t>(); protocol > 5)
        refuse("pickle protocol {} cannot be read; 0 to 5 can", protocol);
      return;
    case '\x95':  // FRAME
      return in_.need(argument<std::uint64_t>(), "a frame of the pickle");
    case '0':
      pop();
      return;
    case '1':
      since_mark();
      return;
    case '2':
      return stack_.push_back(top());
    case 'c': {
      const std::string module = in_.line(), name = in_.line();
      return global(module + "." + name);
    }
    case '\x93': {
      const std::string& name = string(pop());
      return global(string(pop()) + "." + name);
    }
    case 'R':
      return call();
    case 'b':
      return build();
    default:
      refuse("opcode 0x{:02x} is refused: only NumPy arrays, dicts, lists, strings and numbers are read",
             std::uint8_t(code));
  }
}

bool PickleMachine::push_number(char code) {
  switch (code) {
    case 'N':
      push(Pickled::None());
      break;
    case '\x88':
      push(1l);
      break;
    case '\x89':
      push(0l);
      break;
    case 'K':
      push(long(argument<std::uint8_t>()));
      break;
    case 'M':
      push(long(argument<std::uint16_t>()));
      break;
    case 'J':
      push(long(argument<std::int32_t>()));
      break;
    case 'I':
    case 'L':
      push(decimal<long>(in_.line()));
      break;
    case 'F':
      push(decimal<double>(in_.line()));
      break;
    case '\x8a':
      push(long_integer(argument<std::uint8_t>()));
      break;
    case '\x8b':
      push(long_integer(argument<std::uint32_t>()));
      break;
    case 'G':
      push(in_.take_big<double>("a number"));
      break;
    default:
      return false;
  }
  return true;
}

bool PickleMachine::push_text(char code) {
  switch (code) {
    case '\x8c':
      push(text(argument<std::uint8_t>()));
      break;
    case 'X':
      push(text(argument<std::uint32_t>()));
      break;
    case '\x8d':
      push(text(argument<std::uint64_t>()));
      break;
    case 'V':
      push(unescaped(in_.line()));
      break;
    case 'C':
    case 'U':
      push(Bytes{text(argument<std::uint8_t>())});
      break;
    case 'B':
    case 'T':
      push(Bytes{text(argument<std::uint32_t>())});
      break;
    case '\x8e':
    case '\x96':  // a bytearray
      push(Bytes{text(argument<std::uint64_t>())});
      break;
    case 'S':
      push(Bytes{quoted()});
      break;
    default:
      return false;
  }
  return true;
}

bool PickleMachine::push_container(char code) {
  switch (code) {
    case '(':
      push(Pickled::Mark());
      break;
    case ')':
      push(List{{}, true});
      break;
    case '\x85':
    case '\x86':
    case '\x87':
      tuple(std::size_t(std::uint8_t(code) - 0x84));
      break;
    case 't':
      push(List{since_mark(), true});
      break;
    case ']':
      push(List());
      break;
    case 'l':
      push(List{since_mark()});
      break;
    case 'a':
      append({pop()});
      break;
    case 'e':
      append(since_mark());
      break;
    case '}':
      push(Dict());
      break;
    case 'd':
      dict(since_mark());
      break;
    case 's': {
      const Ref value = pop(), key = pop();
      set_items({key, value});
      break;
    }
    case 'u':
      set_items(since_mark());
      break;
    default:
      return false;
  }
  return true;
}

bool PickleMachine::use_memo(char code) {
  switch (code) {
    case 'p':
      remember(decimal<std::size_t>(in_.line()));
      break;
    case 'q':
      remember(argument<std::uint8_t>());
      break;
    case 'r':
      remember(argument<std::uint32_t>());
      break;
    case '\x94':
      remember(memo_.size());
      break;
    case 'g':
      recall(decimal<std::size_t>(in_.line()));
      break;
    case 'h':
      recall(argument<std::uint8_t>());
      break;
    case 'j':
      recall(argument<std::uint32_t>());
      break;
    default:
      return false;
  }
  return true;
}

/// Protocol 0 writes numbers as Python does: 12, 12L, 0.5, inf; and True as 01.
template <class T>
T PickleMachine::decimal(std::string digits) {
  if (digits.ends_with('L')) digits.pop_back();
  T value{};
  if (!read_number(digits, value)) refuse("'{}' is not a number", digits.substr(0, 40));
  return value;
}

long PickleMachine::long_integer(std::uint64_t length) {
  if (length > 8) refuse("a number of {} bytes is too large", length);
  const std::string digits = text(length);
  if (digits.empty()) return 0;
  std::uint64_t value = digits.back() & 0x80 ? ~0ull : 0;
  for (std::size_t i = digits.size(); i-- > 0;) value = value << 8 | std::uint8_t(digits[i]);
  return long(value);
}

/// A text of Python 2 between quotes; one with a backslash is refused.
std::string PickleMachine::quoted() {
  const std::string line = in_.line();
  const bool whole = line.size() >= 2 && line.front() == line.back() && (line[0] == '\'' || line[0] == '"');
  if (!whole || line.find('\\') != line.npos) refuse("a quoted string without a backslash was expected");
  return line.substr(1, line.size() - 2);
}

/// Protocol 0 writes texts as Latin-1 with \uXXXX for the others, and for what would end the line.
std::string PickleMachine::unescaped(const std::string& text) {
  std::string utf8;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::uint32_t c = std::uint8_t(text[i]);
    if (c == '\\' && i + 1 < text.size() && (text[i + 1] == 'u' || text[i + 1] == 'U')) {
      const std::size_t digits = text[i + 1] == 'u' ? 4 : 8;
      const char *from = text.data() + i + 2, *stop = from + std::min(digits, text.size() - i - 2);
      const auto [end, error] = std::from_chars(from, stop, c, 16);
      if (error != std::errc() || end != from + digits || c > 0x7ff)
        refuse("a string has a character that cannot be read");
      i += 1 + digits;
    }
    if (c < 0x80)
      utf8 += char(c);
    else
      (utf8 += char(0xc0 | c >> 6)) += char(0x80 | (c & 0x3f));
  }
  in_.charge(utf8.size());
  return utf8;
}

void PickleMachine::push(decltype(Pickled::value) value) {
  in_.charge(sizeof(Pickled));
  items_.push_back({std::move(value)});
  stack_.push_back(&items_.back());
}

Ref PickleMachine::top() {
  if (stack_.empty()) refuse("this is not a valid pickle: nothing is on the stack");
  return stack_.back();
}

Ref PickleMachine::pop() {
  const Ref item = top();
  stack_.pop_back();
  return item;
}

std::vector<Ref> PickleMachine::since_mark() {
  std::size_t mark = stack_.size();
  while (mark > 0 && !std::holds_alternative<Pickled::Mark>(stack_[mark - 1]->value)) --mark;
  if (mark == 0) refuse("this is not a valid pickle: no mark on the stack");
  std::vector<Ref> items(stack_.begin() + long(mark), stack_.end());
  stack_.resize(mark - 1);
  return items;
}

void PickleMachine::tuple(std::size_t n) {
  if (stack_.size() < n) refuse("this is not a valid pickle: nothing is on the stack");
  std::vector<Ref> items(stack_.end() - long(n), stack_.end());
  stack_.resize(stack_.size() - n);
  push(List{std::move(items), true});
}

void PickleMachine::dict(const std::vector<Ref>& items) {
  push(Dict());
  set_items(items);
}

void PickleMachine::remember(std::size_t place) {
  in_.charge(64);
  memo_[place] = top();
}

void PickleMachine::recall(std::size_t place) {
  const auto found = memo_.find(place);
  if (found == memo_.end()) refuse("this is not a valid pickle: nothing was memoized at {}", place);
  stack_.push_back(found->second);
}

const std::vector<Ref>& PickleMachine::items_of_tuple(Ref item, const char* what) {
  const auto& list = as<List>(item, what);
  if (!list.is_tuple) refuse("this is not a valid pickle of arrays: {} was expected", what);
  return list.items;
}

const std::string& PickleMachine::string(Ref item) {
  if (auto* bytes = std::get_if<Bytes>(&item->value)) return bytes->text;
  return as<std::string>(item, "a string");
}

void PickleMachine::append(const std::vector<Ref>& items) {
  auto& list = as<List>(top(), "a list");
  if (list.is_tuple) refuse("this is not a valid pickle: a tuple cannot grow");
  list.items.insert(list.items.end(), items.begin(), items.end());
}

void PickleMachine::set_items(const std::vector<Ref>& items) {
  if (items.size() % 2) refuse("this is not a valid pickle: a key has no value");
  auto& dict = as<Dict>(top(), "a dict").items;
  for (std::size_t i = 0; i < items.size(); i += 2) dict.emplace_back(items[i], items[i + 1]);
}

}  // namespace xgrad::detail
