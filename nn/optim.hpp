#pragma once
// Optimizers: the formulas of PyTorch, and the book's where they differ. Each is a few lines of arithmetic in
// optim.cpp.
#include <cmath>
#include <map>

#include <xgrad/nn/clip.hpp>
#include <xgrad/nn/schedule.hpp>
#include <xgrad/nn/visit.hpp>

namespace xgrad {

namespace detail {
/// Throws Error unless 0 <= value < limit, which NaN and inf are not.
void check_option(const char* optimizer, const char* option, double value, double limit = INFINITY);
}  // namespace detail

/// What a group of parameters may have for itself.
struct GroupOptions {
  double lr = 0.01;         ///< learning rate, before the factors
  double weight_decay = 0;  ///< times the parameter, added to its gradient (AdamW: taken off the parameter)
  Schedule schedule = {};   ///< the factor of lr at each step of the optimizer; 1 when not given
};

/// Changes parameters by their gradients. Holds handles: the model may be moved or written to, and std::swap
/// may exchange its parts. What is replaced or destroyed takes its parameters out of the model, and the next
/// step() is an Error that names one.
class Optimizer {
 public:
  /// Parameters that have their options in common.
  struct Group {
    Parameters parameters;  ///< handles to those of the model
    GroupOptions options;   ///< may be changed between steps
  };

  virtual ~Optimizer();
  /// Further parameters with a learning rate and weight decay of their own. What is counted by steps, as the
  /// bias correction of Adam, begins with their first step. Throws Error for a parameter that is given twice,
  /// and for options that are negative or not finite.
  virtual void add_group(const Parameters& parameters, const GroupOptions& options);
  /// The same with the options of the first group.
  void add_group(const Parameters& parameters);
  /// Forgets the gradients.
  virtual void zero_grad();
  /// One step. Parameters without a gradient stay as they are. Throws Error for a gradient that does not fit,
  /// a parameter that no model has any longer or that is given twice, and a learning rate (after all factors)
  /// or weight decay that is negative or not finite; and Error or std::bad_alloc where memory is missing. A
  /// step that throws has changed nothing: no parameter, nothing that is remembered, no count of steps.
  void step() { prepare_step()(); }

  /// Multiplies every group's learning rate, as a schedule wants it (nn/schedule.hpp).
  virtual void set_lr_factor(double factor) { lr_factor_ = factor; }
  /// What set_lr_factor() has set, 1 before.
  double lr_factor() const { return lr_factor_; }
  /// All groups, to be looked at or changed.
  std::vector<Group>& groups() { return groups_; }
  /// The parameters of all groups.
  virtual Parameters parameters() const;

  /// What the optimizer remembers, to be saved: "adam.step", the steps taken, and for each parameter by
  /// group, place in the group and name "adam.0.2.conv1.weight.m", ... and "adam.0.2.conv1.weight.step", its
  /// own count of steps.
  virtual std::vector<NamedArray> state() const;
  /// Takes back what state() gave an optimizer of the same groups. Throws Error, before anything is changed,
  /// that names what is missing, left over, given twice or does not fit.
  void load_state(const std::vector<NamedArray>& state) { prepare_load(state)(); }

 protected:
  /// What is left to do when everything has been checked.
  using Action = std::function<void()>;
  /// Throws for what step() cannot be done with, memory included; the Action takes the step.
  virtual Action prepare_step();
  /// Throws Error for what load_state() cannot take; the Action takes it.
  virtual Action prepare_load(const std::vector<NamedArray>& state);

  /// What an optimizer keeps for a parameter.
  struct Slots {
    long steps = 0;                            ///< of the parameter, the present one included
    std::map<std::string, Array> arrays = {};  ///< by slot_names(); zeros before the first step
  };
  /// The names of the arrays that are kept for each parameter.
  virtual std::vector<std::string> slot_names() const { return {}; }
  /// One parameter's new value; `lr` includes the factor, and g the weight decay unless it is decoupled.
  virtual Variable update(const Variable& p, const Variable& g, double lr, const GroupOptions& options,
                          Slots& slots) = 0;
  /// What the names in state() begin with.
  virtual const char* name() const = 0;
  /// Whether weight decay is added to the gradient.
  virtual bool couples_weight_decay() const { return true; }

 private:
  friend class JointOptimizer;  // prepares its parts
  struct Known {
    Variable parameter;  // keeps the node, so that no other has its address
    Slots slots;
  };
  std::string prefix(std::size_t group, std::size_t place) const;
  void check() const;
  /// A parameter's step, which has been thought out and is still to be taken.
  struct Update {
    Known& known;
    Array value;
    Slots slots;
  };
  void take(std::vector<Update>& updates);

  std::vector<Group> groups_;
  std::map<const Node*, Known> known_;
  long steps_ = 0;  // taken: schedules count by it
  double lr_factor_ = 1;
};

/// p -= lr g.
class SGD : public Optimizer {
 public:
  /// For the parameters of a model, parameters(model), as its first group.
  explicit SGD(const Parameters& parameters, const GroupOptions& options = {});

 private:
  Variable update(const Variable&, const Variable&, double, const GroupOptions&, Slots&) override;
  const char* name() const override { return "sgd"; }
};

/// The numbers in the formula of Momentum and Nesterov.
struct MomentumOptions {
  double lr = 0.01;         ///< learning rate
  double momentum = 0.9;    ///< how much of v stays at each step
  double weight_decay = 0;  ///< times the parameter, added to its gradient
};
/// v = momentum v + g, p -= lr v (Polyak); with a constant lr the book's formula, volume 1, page 170.
class Momentum : public Optimizer {
 public:
  /// For the parameters of a model, parameters(model), as its first group.
  explicit Momentum(const Parameters& parameters, const MomentumOptions& options = {});

 protected:
  Variable update(const Variable&, const Variable&, double, const GroupOptions&, Slots&) override;
  const char* name() const override { return "momentum"; }
  std::vector<std::string> slot_names() const override { return {"v"}; }
  double momentum_;  ///< as in the options
};
/// v = momentum v + g, p -= lr (g + momentum v) (Nesterov, as PyTorch and the book's code write it).
class Nesterov : public Momentum {
 public:
  using Momentum::Momentum;

 private:
  Variable update(const Variable&, const Variable&, double, const GroupOptions&, Slots&) override;
  const char* name() const override { return "nesterov"; }
};

/// The numbers in AdaGrad's formula.
struct AdaGradOptions {
  double lr = 0.01;         ///< learning rate
  double eps = 1e-10;       ///< the book's is 1e-7
  double weight_decay = 0;  ///< times the parameter, added to its gradient
};
/// h += g^2, p -= lr g / (sqrt(h) + eps) (Duchi et al., 2011; the book, volume 1, page 172).
class AdaGrad : public Optimizer {
 public:
  /// For the parameters of a model, parameters(model), as its first group.
  explicit AdaGrad(const Parameters& parameters, const AdaGradOptions& options = {});

 private:
  Variable update(const Variable&, const Variable&, double, const GroupOptions&, Slots&) override;
  const char* name() const override { return "adagrad"; }
  std::vector<std::string> slot_names() const override { return {"h"}; }
  double eps_;
};

/// The numbers in RMSprop's formula.
struct RMSpropOptions {
  double lr = 0.01;         ///< learning rate
  double alpha = 0.99;      ///< how much of h stays at each step
  double eps = 1e-8;        ///< the book's is 1e-7
  double weight_decay = 0;  ///< times the parameter, added to its gradient
};
/// h = alpha h + (1 - alpha) g^2, p -= lr g / (sqrt(h) + eps) (Tieleman and Hinton, 2012).
class RMSprop : public Optimizer {
 public:
  /// For the parameters of a model, parameters(model), as its first group.
  explicit RMSprop(const Parameters& parameters, const RMSpropOptions& options = {});

 private:
  Variable update(const Variable&, const Variable&, double, const GroupOptions&, Slots&) override;
  const char* name() const override { return "rmsprop"; }
  std::vector<std::string> slot_names() const override { return {"h"}; }
  double alpha_, eps_;
};

/// The numbers in Adam's formula.
struct AdamOptions {
  double lr = 1e-3;  ///< learning rate
  ///@{
  /// How much of m, the first moment, and of v, the second, stays at each step.
  double beta1 = 0.9, beta2 = 0.999;
  ///@}
  double eps = 1e-8;        ///< added to the root of the second moment
  double weight_decay = 0;  ///< times the parameter, added to its gradient
  bool book = false;        ///< eps outside the bias correction, as in the book's code; there it is 1e-7
};
/// m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2, corrected for their start at 0 (Kingma and Ba,
/// 2015): p -= lr m' / (sqrt(v') + eps). The book's (volume 1, page 174): p -= lr sqrt(1 - beta2^t) / (1 -
/// beta1^t) m / (sqrt(v) + eps).
class Adam : public Optimizer {
 public:
  /// For the parameters of a model, parameters(model), as its first group.
  explicit Adam(const Parameters& parameters, const AdamOptions& options = {});

 protected:
  Variable update(const Variable&, const Variable&, double, const GroupOptions&, Slots&) override;
  const char* name() const override { return "adam"; }
  std::vector<std::string> slot_names() const override { return {"m", "v"}; }
  AdamOptions options_;  ///< as given
};

/// The numbers in AdamW's formula.
struct AdamWOptions {
  double lr = 1e-3;  ///< learning rate
  ///@{
  /// How much of m, the first moment, and of v, the second, stays at each step.
  double beta1 = 0.9, beta2 = 0.999;
  ///@}
  double eps = 1e-8;           ///< added to the root of the second moment
  double weight_decay = 0.01;  ///< times lr and the parameter, taken off the parameter
};
/// Adam with weight decay apart from the gradient: p -= lr weight_decay p first (Loshchilov and Hutter,
/// 2019).
class AdamW : public Adam {
 public:
  /// For the parameters of a model, parameters(model), as its first group.
  explicit AdamW(const Parameters& parameters, const AdamWOptions& options = {});

 private:
  Variable update(const Variable&, const Variable&, double, const GroupOptions&, Slots&) override;
  const char* name() const override { return "adamw"; }
  bool couples_weight_decay() const override { return false; }
};

/// The numbers in Muon's formula.
struct MuonOptions {
  double lr = 0.02;         ///< learning rate
  double momentum = 0.95;   ///< how much of v stays at each step
  double weight_decay = 0;  ///< times the parameter, added to its gradient
  int newton_steps = 5;     ///< of the Newton-Schulz iteration
  ///@{
  /// Of the Newton-Schulz iteration.
  double a = 3.4445, b = -4.7750, c = 2.0315;
  ///@}
  bool normalize =
      false;  ///< the weight is first scaled to the norm sqrt(rows), as K. Jordan's CIFAR-10 recipe does
};
/// v = momentum v + g; p -= lr O, where O is the orthogonal matrix nearest to g + momentum v, by some steps
/// of Newton and Schulz: X = a X + (b A + c A A) X with A = X X' (K. Jordan et al., "Muon", 2024). For
/// weights of two axes or more, (out, in ...), taken as matrices (out, the rest). Throws Error for others. v
/// may grow to g / (1 - momentum), which the dtype must be able to hold.
class Muon : public Optimizer {
 public:
  /// For the parameters of a model, parameters(model), as its first group. Throws Error when one has fewer
  /// than two axes.
  explicit Muon(const Parameters& parameters, const MuonOptions& options = {});
  using Optimizer::add_group;
  void add_group(const Parameters& parameters, const GroupOptions& options) override;

 private:
  Variable update(const Variable&, const Variable&, double, const GroupOptions&, Slots&) override;
  const char* name() const override { return "muon"; }
  std::vector<std::string> slot_names() const override { return {"v"}; }
  MuonOptions options_;
};

/// Several optimizers as one, each with parameters of its own. They must outlive it. Its state is that of the
/// parts by their place: "joint.0.muon.step".
class JointOptimizer : public Optimizer {
 public:
  /// Each part has its parameters already. Throws Error when two parts have one in common, and for a null.
  explicit JointOptimizer(std::vector<Optimizer*> parts);
  using Optimizer::add_group;
  /// Throws Error: a group belongs to one of the parts.
  void add_group(const Parameters& parameters, const GroupOptions& options) override;
  void zero_grad() override;
  void set_lr_factor(double factor) override;
  /// The parameters of all parts.
  Parameters parameters() const override;
  std::vector<NamedArray> state() const override;

 private:
  Action prepare_step() override;
  Action prepare_load(const std::vector<NamedArray>& state) override;
  Variable update(const Variable& p, const Variable&, double, const GroupOptions&, Slots&) override {
    return p;
  }
  const char* name() const override { return "joint"; }
  std::vector<Optimizer*> parts_;
};

}  // namespace xgrad
