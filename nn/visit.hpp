#pragma once
// visit(model, f) shows f every parameter and buffer of a model with its name. All else is built on it.
#include <xgrad/core/tape/layer_call.hpp>
#include <xgrad/nn/members.hpp>

namespace xgrad {
namespace detail {

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

inline bool is_defined(const Parameter& leaf) { return leaf.defined(); }
inline bool is_defined(const Buffer& leaf) { return leaf.value.defined(); }

/// visit(), without what has been seen.
template <class M>
void walk(M& model, Visitor& visitor, const std::string& path) {
  using Model = std::remove_const_t<M>;
  constexpr Kind kind = kind_of<Model>();
  auto first = [&](const auto& object) { return visitor.first({&object, typeid(object)}); };
  visitor.enter(path, {&model, typeid(Model)});
  if constexpr (kind == Kind::leaf) {
    auto& leaf = const_cast<Model&>(model);
    if (is_defined(leaf) && first(leaf)) visitor.leaf(path, leaf);
  } else if constexpr (kind == Kind::erased) {
    model.walk(visitor, path);
  } else if constexpr (kind != Kind::constant) {
    if constexpr (kind == Kind::pointer)
      if (model && !IsLeaf<std::remove_cvref_t<decltype(*model)>> && !first(*model)) return;
    each_part(model, [&](const std::string& name, auto& part) {
      walk(part, visitor, path.empty() || name.empty() ? path + name : path + "." + name);
    });
  }
}

}  // namespace detail

/// Calls f(name, leaf) for each Parameter and Buffer of a model, in the order of the members: "conv1.weight",
/// "blocks.0.bias". A model is a struct of up to 64 layers, models, and what is made of them: vectors,
/// arrays, maps (by their keys), tuples, pairs, optionals, variants, pointers. Anything else among its
/// members is a constant that is neither trained nor saved: a number, a Shape, an Array, a Variable, a
/// function, which cannot be looked into. What several members share, as two std::shared_ptr to one layer do,
/// is shown once, by the first of its names; pointers may form a cycle. A Parameter or Buffer that is
/// undefined is none. A class with a constructor or a base says what it holds; the part of an empty name
/// takes the model's own:
///   void each(auto&& f) { f("weight", weight); f("bias", bias); f("", static_cast<Base&>(*this)); }
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
  void set_data(Array data) const;
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
  walk(const_cast<std::remove_const_t<M>&>(model), finder, "");  // compiled once for both
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

/// Their values, as grad() takes them: grad(loss, variables(parameters(net))).
std::vector<Variable> variables(const Parameters& parameters);

/// The data of all parameters and buffers. It is a snapshot, whatever pointers the model holds, and takes
/// memory of its own as soon as the model is written to; load_state puts it back.
template <class M>
std::vector<NamedArray> state(const M& model) {
  return detail::state(detail::leaves(model));
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
