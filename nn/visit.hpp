#pragma once
// visit(model, f) shows f every parameter and buffer of a model with its name. All else is built on it.
#include <concepts>
#include <set>
#include <typeindex>

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

/// What a walk has come to. Two objects may have one address, as a struct and its first member do, but not
/// two of one type.
class Seen {
 public:
  /// Whether it is met for the first time.
  template <class T>
  bool first(const T& object) {
    return objects_.emplace(&object, typeid(T)).second;
  }

 private:
  std::set<LayerKey> objects_;
};

/// What is done where a walk comes. One type for all, so that the walk through a model is compiled once.
struct Visitor {
  Seen seen;
  virtual void enter(const std::string&, LayerKey) {}
  virtual void leaf(const std::string& path, Parameter& leaf) = 0;
  virtual void leaf(const std::string& path, Buffer& leaf) = 0;

 protected:
  ~Visitor() = default;
};

/// visit(), without what has been seen.
template <class M>
void walk(M& model, Visitor& visitor, const std::string& path) {
  using Model = std::remove_const_t<M>;
  auto down = [&](const std::string& name, auto& member) {
    walk(member, visitor, path.empty() ? name : path + "." + name);
  };
  visitor.enter(path, {&model, typeid(Model)});
  if constexpr (std::same_as<Model, Parameter>) {
    if (model.defined() && visitor.seen.first(model)) visitor.leaf(path, const_cast<Model&>(model));
  } else if constexpr (std::same_as<Model, Buffer>) {
    if (model.value.defined() && visitor.seen.first(model)) visitor.leaf(path, const_cast<Model&>(model));
  } else if constexpr (HasEach<Model, decltype(down)>) {
    const_cast<Model&>(model).each(down);
  } else if constexpr (PointerLike<Model>) {
    using Pointee = std::remove_cvref_t<decltype(*model)>;
    constexpr bool leaf = std::same_as<Pointee, Parameter> || std::same_as<Pointee, Buffer>;
    if (model && (leaf || visitor.seen.first(*model))) walk(*model, visitor, path);
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
  struct : detail::Visitor {
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

/// The parameters of a model, in the order of its members.
template <class M>
Parameters parameters(M& model) {
  Parameters found;
  visit(model, [&](const std::string& name, auto& leaf) {
    if constexpr (std::same_as<std::remove_cvref_t<decltype(leaf)>, Parameter>) found.push_back({name, leaf});
  });
  return found;
}

/// The data of all parameters and buffers.
template <class M>
std::vector<NamedArray> state(const M& model) {
  std::vector<NamedArray> found;
  visit(const_cast<M&>(model), [&](const std::string& name, auto& leaf) {
    if constexpr (std::same_as<std::remove_cvref_t<decltype(leaf)>, Parameter>)
      found.push_back({name, leaf.data()});
    else
      found.push_back({name, leaf.value});
  });
  return found;
}

/// How many numbers a model trains.
template <class M>
long parameter_count(M& model) {
  long total = 0;
  for (auto& p : parameters(model)) total += p.value.size();
  return total;
}

namespace detail {

struct NameFinder : Visitor {
  Names found;
  void enter(const std::string& path, LayerKey object) override {
    if (!path.empty()) found.layers.try_emplace(object, path);
  }
  void leaf(const std::string& path, Parameter& leaf) override {
    found.leaves.try_emplace(leaf.node(), path);
  }
  void leaf(const std::string&, Buffer&) override {}
};

}  // namespace detail

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
  visit(model, [&](const std::string&, auto& leaf) {
    if constexpr (std::same_as<std::remove_cvref_t<decltype(leaf)>, Parameter>) {
      const bool trained = leaf.requires_grad();
      leaf = Parameter(leaf.data().cast(dtype));
      leaf.set_requires_grad(trained);
    } else {
      leaf.value = leaf.value.cast(dtype);
    }
  });
}

/// Freezes the parameters of a model (or a part of it), or lets them learn again.
template <class M>
void set_requires_grad(M& model, bool wanted) {
  for (auto& p : parameters(model)) p.value.set_requires_grad(wanted);
}

}  // namespace xgrad
