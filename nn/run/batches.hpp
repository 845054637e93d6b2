#pragma once
// Batches of any type: what their parts are, and sources of them.
#include <concepts>
#include <functional>
#include <tuple>
#include <typeinfo>

#include <xgrad/core/base/fields.hpp>
#include <xgrad/core/tape/variable.hpp>

namespace xgrad {

namespace detail {

/// References to the parts of a batch: of a tuple, pair or std::array, or of a plain struct.
template <class Batch>
auto parts_of(const Batch& batch) {
  if constexpr (requires { std::tuple_size<Batch>::value; })
    return std::apply([](const auto&... parts) { return std::tie(parts...); }, batch);
  else if constexpr (std::is_class_v<Batch> && std::is_aggregate_v<Batch>)
    return members(batch);
  else
    return std::tie();
}
template <class Part>
concept Data =
    std::same_as<std::remove_cvref_t<Part>, Array> || std::same_as<std::remove_cvref_t<Part>, Variable>;
template <class Parts>
inline constexpr bool are_data = false;
template <Data Part, Data... Parts>
inline constexpr bool are_data<std::tuple<Part, Parts...>> = true;
/// Whether a batch is made of Arrays or Variables alone: the inputs, and the target as the last of them.
template <class Batch>
inline constexpr bool is_plain_batch = are_data<decltype(parts_of(std::declval<const Batch&>()))>;

/// How many samples an Array has: the length of its first axis.
inline long samples_in(const Variable& x) { return x.rank() > 0 ? x.shape()[0] : 1; }

}  // namespace detail

/// A source of batches that can be gone through any number of times, of any type: a Loader, or a range of
/// batches, as a vector. It has a copy of its own: of a Loader, each pass begins where the Loader stood.
class AnyBatches {
 public:
  /// None.
  AnyBatches() = default;
  /// Takes the source over.
  template <class Source>
  requires(!std::same_as<Source, AnyBatches> &&
           (
               requires(Source & s) { s.epoch(); } || requires(const Source& s) { s.begin() == s.end(); }))
      AnyBatches(Source source) {  // NOLINT: implicit, so that FitOptions take any source
    if constexpr (requires { source.epoch(); }) {
      type_ = &typeid(decltype(*source.epoch().begin()));
      each_ = [source = std::move(source)](const Take& take) {
        Source pass = source;
        for (auto&& batch : pass.epoch()) take(&batch);
      };
    } else {
      type_ = &typeid(decltype(*source.begin()));
      each_ = [source = std::move(source)](const Take& take) {
        for (auto&& batch : source) take(&batch);
      };
    }
  }

  /// Whether there is a source.
  explicit operator bool() const { return type_ != nullptr; }
  /// The type of the batches; null where there is no source.
  const std::type_info* type() const { return type_; }
  /// Calls take(pointer to the batch) for each batch.
  void for_each(const std::function<void(const void* batch)>& take) const { each_(take); }

 private:
  using Take = std::function<void(const void*)>;
  const std::type_info* type_ = nullptr;
  std::function<void(const Take&)> each_;
};

}  // namespace xgrad
