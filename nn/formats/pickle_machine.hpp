#pragma once
// The stack machine of Python's pickle, without anything that could run code (private to pickle).
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <xgrad/core/array/array.hpp>
#include <xgrad/core/base/reader.hpp>

namespace xgrad::detail {

/// What the machine makes.
struct Pickled {
  /// The machine owns all items: they may hold each other, and are freed without recursion.
  using Ref = Pickled*;

  struct None {};
  struct Mark {};
  struct Bytes {
    std::string text;
  };
  /// What may be named; calling it makes an array or what that is made of, and nothing else.
  enum class Global { reconstruct, ndarray, dtype, scalar, frombuffer, encode, bytes };
  /// A list, or a tuple where it cannot grow.
  struct List {
    std::vector<Ref> items;
    bool is_tuple = false;
  };
  struct Dict {
    std::vector<std::pair<Ref, Ref>> items;
  };
  struct Type {
    std::string name;  // "<f4"
  };
  std::variant<None, Mark, long, double, std::string, Bytes, Global, List, Dict, Type, Array> value;
};

/// Runs a pickle. Throws Error that names the file and the byte of what is refused.
class PickleMachine {
 public:
  using Ref = Pickled::Ref;
  /// Reads from `in`, whose budget bounds what the pickle makes.
  explicit PickleMachine(Reader& in) : in_(in) {}
  /// The item that the pickle stands for; the machine owns it.
  Ref run();
  /// Throws Error that names the opcode that was run last.
  template <class... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> message, Args&&... args) const {
    in_.refuse_at(start_, message, std::forward<Args>(args)...);
  }

 private:
  void step(char code);
  bool push_number(char code);
  bool push_text(char code);
  bool push_container(char code);
  bool use_memo(char code);

  template <class T>
  T argument() {
    return in_.take<T>("an argument");
  }
  std::string text(std::uint64_t length) { return in_.text(length, "a string"); }
  template <class T>
  T decimal(std::string digits);
  long long_integer(std::uint64_t length);
  std::string quoted();
  std::string unescaped(const std::string& text);

  void push(decltype(Pickled::value) value);
  Ref top();
  Ref pop();
  std::vector<Ref> since_mark();
  void tuple(std::size_t n);
  void dict(const std::vector<Ref>& items);
  void remember(std::size_t place);
  void recall(std::size_t place);
  template <class T>
  T& as(Ref item, const char* what) {
    if (T* value = std::get_if<T>(&item->value)) return *value;
    refuse("this is not a valid pickle of arrays: {} was expected", what);
  }
  const std::vector<Ref>& items_of_tuple(Ref item, const char* what);
  const std::string& string(Ref item);
  void append(const std::vector<Ref>& items);
  void set_items(const std::vector<Ref>& items);
  void global(const std::string& name);
  void call();
  void build();
  Array array(Ref type, const std::vector<long>& shape, bool fortran_order, Ref bytes);
  std::vector<long> shape(Ref tuple);
  std::string latin1(const std::string& utf8);

  Reader& in_;
  std::uint64_t start_ = 0;  // of the opcode
  std::deque<Pickled> items_;
  std::vector<Ref> stack_;
  std::map<std::size_t, Ref> memo_;
};

}  // namespace xgrad::detail
