#pragma once
// visit(model, f) shows f every parameter and buffer of a model with its name. All else is built on it.
#include <concepts>

#include <xgrad/core/base/fields.hpp>
#include <xgrad/core/tape/layer_call.hpp>
#include <xgrad/nn/parameter.hpp>

namespace xgrad {
namespace detail {

template <class M, class F>
concept HasEach = requires(M& m, F& f) {
  m.each(f);
};
template <class M>
concept PointerLike = requires(M& m) {
  *m;
  static_cast<bool>(m);
  requires std::is_class_v<std::remove_reference_t<decltype(*m)>>;
}
&&std::is_class_v<M>;
template <class M>
concept Range = requires(M& m) {
  m.begin();
  m.end();
};

/// What is done at each object of a model. One type for all, so that the walk through a model is compiled
/// once.
class Visitor {
 public:
  Visitor();
  Visitor(const Visitor&) = delete;
  Visitor& operator=(const Visitor&) = delete;
  /// Whether the object is met for the first time.
  bool first(LayerKey object);

  virtual void enter(const std::string& path, LayerKey object);
  virtual void leaf(const std::string& path, Parameter& leaf) = 0;
  virtual void leaf(const std::string& path, Buffer& leaf) = 0;

 protected:
  ~Visitor();

 private:
  struct Seen;
  Seen* seen_;
};

/// visit(), without what has been seen.
template <class M>
void walk(M& model, Visitor& visitor, const std::string& path) {
  using Model = std::remove_const_t<M>;
  auto down = [&](const std::string& name, auto& member) {
    walk(member, visitor, path.empty() ? name : path + "." + name);
  };
  auto first = [&](const auto& object) { return visitor.first({&object, typeid(object)}); };
  visitor.enter(path, {&model, typeid(Model)});
  if constexpr (requires { model.walk(visitor, path); }) {
    model.walk(visitor, path);
  } else if constexpr (std::same_as<Model, Parameter>) {
    if (model.defined() && first(model)) visitor.leaf(path, const_cast<Model&>(model));
  } else if constexpr (std::same_as<Model, Buffer>) {
    if (model.value.defined() && first(model)) visitor.leaf(path, const_cast<Model&>(model));
  } else if constexpr (HasEach<Model, decltype(down)>) {
    const_cast<Model&>(model).each(down);
  } else if constexpr (PointerLike<Model>) {
    using Pointee = std::remove_cvref_t<decltype(*model)>;
    constexpr bool leaf = std::same_as<Pointee, Parameter> || std::same_as<Pointee, Buffer>;
    if (model && (leaf || first(*model))) walk(*model, visitor, path);
  } else if constexpr (Range<Model>) {
    if constexpr (std::is_class_v<std::remove_cvref_t<decltype(*model.begin())>>) {
      std::size_t i = 0;
      for (auto& member : model) down(std::to_string(i++), member);
    }
  } else if constexpr (std::is_class_v<Model> && std::is_aggregate_v<Model>) {
    auto members = detail::members(model);
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (down(member_name<Model, I>(), std::get<I>(members)), ...);
    }
    (std::make_index_sequence<std::tuple_size_v<decltype(members)>>{});
  } else {
    static_assert(std::is_trivially_copyable_v<Model> || std::is_same_v<Model, Variable>,
                  "a class with a constructor needs `void each(auto&& f)` that names its parameters, as the "
                  "layers have");
  }
}

}  // namespace detail

/// Calls f(name, leaf) for each Parameter and Buffer of a model, in the order of the members: "conv1.weight",
/// "blocks.0.bias". A model is a struct whose members are layers, models, vectors or optionals of them, or
/// anything without parameters; nothing needs to be declared. What several members share, as two
/// std::shared_ptr to one layer do, is shown once, by the first of its names; pointers may form a cycle. A
/// Parameter or Buffer that is undefined is none. A class with a constructor says what it holds:
///   void each(auto&& f) { f("weight", weight); f("bias", bias); }
template <class M, class F>
void visit(M& model, F&& f, const std::string& path = "") {
  struct Caller final : detail::Visitor {
    std::remove_reference_t<F>* f;
    void leaf(const std::string& name, Parameter& leaf) override { (*f)(name, leaf); }
    void leaf(const std::string& name, Buffer& leaf) override { (*f)(name, leaf); }
  } visitor;
  visitor.f = &f;
  detail::walk(model, visitor, path);
}

/// A parameter with its name; the Variable is a handle to it.
struct NamedParameter {
  std::string name;  ///< "conv1.weight"
  Variable value;    ///< the parameter
};
/// What optimizers take: parameters(model), or some of them.
using Parameters = std::vector<NamedParameter>;
/// A leaf's data with its name.
struct NamedArray {
  std::string name;  ///< "conv1.weight"
  Array value;       ///< the data
};

namespace detail {

/// A parameter or a buffer of a model: one of the pointers is null.
struct Leaf {
  std::string name;
  Parameter* parameter;
  Buffer* buffer;
  const Array& data() const { return parameter ? parameter->data() : buffer->value; }
};
using Leaves = std::vector<Leaf>;

struct LeafFinder final : Visitor {
  Leaves found;
  void leaf(const std::string& path, Parameter& leaf) override;
  void leaf(const std::string& path, Buffer& leaf) override;
};
struct NameFinder final : Visitor {
  Names found;
  void enter(const std::string& path, LayerKey object) override;
  void leaf(const std::string& path, Parameter& leaf) override;
  void leaf(const std::string&, Buffer&) override {}
};

/// All leaves of a model, as visit() shows them.
template <class M>
Leaves leaves(M& model) {
  LeafFinder finder;
  walk(model, finder, "");
  return std::move(finder.found);
}

Parameters parameters(const Leaves& leaves);
std::vector<NamedArray> state(const Leaves& leaves);
void set_dtype(const Leaves& leaves, DType dtype);

}  // namespace detail

/// The parameters of a model, in the order of its members.
template <class M>
Parameters parameters(M& model) {
  return detail::parameters(detail::leaves(model));
}

/// The data of all parameters and buffers.
template <class M>
std::vector<NamedArray> state(const M& model) {
  return detail::state(detail::leaves(const_cast<M&>(model)));
}

/// How many numbers these parameters have.
long parameter_count(const Parameters& parameters);
/// How many numbers a model trains.
template <class M>
long parameter_count(M& model) {
  return parameter_count(parameters(model));
}

/// What the layers and parameters of a model are called in it, for traces and messages. The model must not
/// move while they are used.
template <class M>
Names names_of(M& model) {
  detail::NameFinder finder;
  detail::walk(model, finder, "");
  return std::move(finder.found);
}

/// Converts all parameters and buffers to f32 or f64. Optimizers made before refuse to go on with those that
/// were converted.
template <class M>
void to(M& model, DType dtype) {
  detail::set_dtype(detail::leaves(model), dtype);
}

/// Freezes the parameters of a model (or a part of it), or lets them learn again.
template <class M>
void set_requires_grad(M& model, bool wanted) {
  for (auto& p : parameters(model)) p.value.set_requires_grad(wanted);
}

}  // namespace xgrad
