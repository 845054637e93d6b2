#pragma once
// describe: a model as text, layer by layer.
#include <xgrad/nn/visit.hpp>

namespace xgrad {
namespace detail {

template <class M>
concept HasText = requires(const M& m) {
  { m.text() } -> std::same_as<std::string>;
};

/// Writes a model. It knows where it has been, so that what is shared is written once.
class Description {
 public:
  /// A part of a model with its text.
  struct Part {
    std::string name, text;
  };
  using Parts = std::vector<Part>;

  /// "" for what has nothing to be shown, as a number.
  template <class M>
  std::string of(const M& model, const std::string& path) {
    constexpr Kind kind = kind_of<M>();
    if constexpr (kind == Kind::leaf) {
      return of_leaf(model, path);
    } else if constexpr (kind == Kind::constant) {
      if constexpr (Callable<M> && HasText<M>) return model.text();
      return Callable<M> ? "function" : "";
    } else if constexpr (kind == Kind::pointer || kind == Kind::variant) {
      std::string text;
      each_part(model, [&](const std::string&, auto& part) { text = of(std::as_const(part), path); });
      return text;
    } else {
      if (const std::string* first = met({&model, typeid(M)}, path)) return "the same as " + *first;
      if constexpr (HasText<M>) {
        return model.text();
      } else {
        Parts parts;
        each_part(model, [&](const std::string& name, auto& part) {
          parts.push_back({name, of(std::as_const(part), path.empty() ? name : path + "." + name)});
        });
        return written(std::is_array_v<M> ? "array" : type_name<M>(), parts, Callable<M>);
      }
    }
  }

  /// "Net(", a line for each part that has a text, and ")"; "" where there is none and it need not be shown.
  static std::string written(std::string_view type, const Parts& parts, bool needed);

 private:
  std::string of_leaf(const Parameter& leaf, const std::string& path);
  std::string of_leaf(const Buffer& leaf, const std::string& path);
  /// Where the object was met before; null for the first time.
  const std::string* met(LayerKey object, const std::string& path);

  std::vector<std::pair<LayerKey, std::string>> places_;
};

}  // namespace detail

/// A model as text, as PyTorch prints one: its layers with their options, in the order of its members, and
/// its own parameters with their shapes. A layer of your own says what it is by `std::string text() const`.
///   Net(
///     (conv): Conv2d(1, 6, kernel=5)
///     (blocks): vector(
///       (0-1): 2 x Linear(64, 64)
///     )
///     (scale): Parameter(64,)
///   )
template <class M>
std::string describe(const M& model) {
  const std::string text = detail::Description().of(model, "");
  return text.empty() ? detail::Description::written(detail::type_name<M>(), {}, true) : text;
}

}  // namespace xgrad
