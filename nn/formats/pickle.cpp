// The arrays in what a pickle stands for.
#include <filesystem>
#include <set>

#include <xgrad/nn/formats/numpy.hpp>
#include <xgrad/nn/formats/pickle_machine.hpp>

namespace xgrad {
namespace {

using detail::Pickled;

/// Finds the arrays below an item. Depth is bounded, since a list may hold itself, and the number of visits,
/// since a few lists that hold each other twice are many.
class Collector {
 public:
  Collector(Reader& in, const detail::PickleMachine& machine)
      : in_(in), machine_(machine), visits_left_(100'000 + in.size()) {}

  void collect(const std::string& name, Pickled::Ref item, std::size_t depth = 0) {
    in_.check_depth(depth);
    if (auto* array = std::get_if<Array>(&item->value)) {
      if (!array->defined()) machine_.refuse("array '{}' has no elements", name);
      in_.charge(2 * name.size() + sizeof(NamedArray));
      if (!names_.insert(name).second) machine_.refuse("two arrays are called '{}'", name);
      found.arrays.push_back({name, *array});
    } else if (auto* dict = std::get_if<Pickled::Dict>(&item->value)) {
      for (auto& [key, value] : dict->items)
        if (visit(*value)) collect(joined(name, key_name(name, *key)), value, depth + 1);
    } else if (auto* list = std::get_if<Pickled::List>(&item->value)) {
      for (std::size_t i = 0; i < list->items.size(); ++i)
        if (visit(*list->items[i])) collect(joined(name, fmt::format("{}", i)), list->items[i], depth + 1);
    }  // texts and numbers beside arrays are left out
  }

  Tensors found;

 private:
  /// Whether there may be arrays in an item. Counts the visit.
  bool visit(const Pickled& item) {
    if (visits_left_-- == 0) machine_.refuse("its lists refer to one another too many times");
    return std::holds_alternative<Array>(item.value) || std::holds_alternative<Pickled::Dict>(item.value) ||
           std::holds_alternative<Pickled::List>(item.value);
  }
  std::string joined(const std::string& name, std::string_view part) const {
    if (name.size() + part.size() > 1000)
      machine_.refuse("the name of an array has more than 1000 characters");
    return name.empty() ? std::string(part) : fmt::format("{}.{}", name, part);
  }
  std::string key_name(const std::string& name, const Pickled& key) const {
    if (auto* text = std::get_if<std::string>(&key.value)) return text->substr(0, 1001);
    if (auto* bytes = std::get_if<Pickled::Bytes>(&key.value)) return bytes->text.substr(0, 1001);
    if (auto* number = std::get_if<long>(&key.value)) return fmt::format("{}", *number);
    machine_.refuse("a key of the dict '{}' is neither a string nor an integer", name);
  }

  Reader& in_;
  const detail::PickleMachine& machine_;
  std::uint64_t visits_left_;
  std::set<std::string> names_;
};

}  // namespace

Tensors load_pickle(const std::string& path) {
  Reader in{std::filesystem::path(path)};
  detail::PickleMachine machine(in);
  const auto result = machine.run();
  Collector collector(in, machine);
  collector.collect("", result);
  return std::move(collector.found);
}

}  // namespace xgrad
