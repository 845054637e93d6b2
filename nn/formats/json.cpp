// JSON by nlohmann's events: entries are handed on as they end.
#include <xgrad/nn/formats/json.hpp>

#include <iterator>
#include <set>
#include <vector>

namespace xgrad::detail {
namespace {

/// Walks over what a Reader has left.
struct Cursor {
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  const char& operator*() const { return here; }
  Cursor& operator++() {
    if (in->at_end())
      in = nullptr;
    else
      here = in->take<char>("a character");
    return *this;
  }
  bool operator==(const Cursor& other) const { return in == other.in; }

  Reader* in = nullptr;  // none at the end
  char here = 0;
};

class Events : public nlohmann::json_sax<Json> {
 public:
  Events(Reader& in, const std::function<void(const std::string&, const Json&)>& entry)
      : in_(in), entry_(entry) {}
  ~Events() override { take_apart(value_); }
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(std::int64_t value) override { return put(value); }
  bool number_unsigned(std::uint64_t value) override { return put(value); }
  bool number_float(double value, const std::string&) override { return put(value); }
  bool string(std::string& value) override {
    in_.charge(value.size());
    return put(std::move(value));
  }
  bool binary(Json::binary_t&) override { return false; }  // JSON has none
  bool start_object(std::size_t) override { return start(Json::object()); }
  bool start_array(std::size_t) override { return start(Json::array()); }
  bool end_object() override {
    keys_.pop_back();
    return end();
  }
  bool end_array() override { return end(); }
  bool key(std::string& key) override {
    in_.charge(96 + 2 * key.size());
    if (!keys_.back().insert(key).second) in_.refuse("the key {} is given twice", Json(key).dump());
    key_ = std::move(key);
    if (open_.empty()) entry_key_ = key_;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const Json::exception& error) override {
    const std::string_view what = error.what();
    const auto colon = what.find(": ");  // after its own account of the place
    in_.refuse("this is not valid JSON: {}", what.substr(colon == what.npos ? 0 : colon + 2).substr(0, 200));
  }

 private:
  /// Puts a value where it belongs: into the innermost list or object that is open, or at the entry's own
  /// place.
  Json& place(Json value) {
    if (!inside_) in_.refuse("a JSON object was expected");
    in_.charge(sizeof(Json) + 32);
    if (open_.empty()) {
      take_apart(value_);
      return value_ = std::move(value);
    }
    Json& outer = *open_.back();
    if (outer.is_array()) return outer.emplace_back(std::move(value));
    return outer.get_ref<Json::object_t&>().emplace(std::move(key_), std::move(value)).first->second;
  }
  bool put(Json value) {
    place(std::move(value));
    return ended();
  }
  bool start(Json value) {
    in_.check_depth(open_.size() + 2);
    if (value.is_object()) keys_.emplace_back();
    if (!inside_ && value.is_object()) return inside_ = true;  // the object itself
    open_.push_back(&place(std::move(value)));
    return true;
  }
  bool end() {
    if (open_.empty()) return true;  // the object itself
    open_.pop_back();
    return ended();
  }
  /// Hands the entry on when it has ended with this value.
  bool ended() {
    if (open_.empty()) entry_(entry_key_, value_);
    return true;
  }

  Reader& in_;
  const std::function<void(const std::string&, const Json&)>& entry_;
  bool inside_ = false;
  std::string key_, entry_key_;
  Json value_;
  std::vector<Json*> open_;                  // lists and objects within the entry, the outermost first
  std::vector<std::set<std::string>> keys_;  // of the objects that are open
};

}  // namespace

void take_apart(Json& value) {
  if (auto* list = value.get_ptr<Json::array_t*>()) {
    for (Json& item : *list) take_apart(item);
    list->clear();
  } else if (auto* entries = value.get_ptr<Json::object_t*>()) {
    for (auto& [key, item] : *entries) take_apart(item);
    entries->clear();
  }
}

std::string json_of(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

void read_object(Reader& in, const std::function<void(const std::string&, const Json&)>& entry) {
  Events events(in, entry);
  Json::sax_parse(++Cursor{&in}, Cursor(), &events);
}

}  // namespace xgrad::detail
