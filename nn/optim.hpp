#pragma once
// Optimizers: the formulas of PyTorch, and the book's where they differ. Each is a few lines of arithmetic in
// optim.cpp.
#include <functional>
#include <limits>
#include <map>
#include <span>

#include <xgrad/nn/schedule.hpp>
#include <xgrad/nn/visit.hpp>

namespace xgrad {

namespace detail {
/// Throws Error unless 0 <= value < limit, which NaN and inf are not.
void check_option(const std::string& rule, const char* option, double value,
                  double limit = std::numeric_limits<double>::infinity());
}  // namespace detail

/// What a group of parameters has for itself.
struct GroupOptions {
  double lr = 0.01;         ///< learning rate, before the schedule
  double weight_decay = 0;  ///< times the parameter, added to its gradient (AdamW: taken off the parameter)
  /// The factor of lr at each step of the optimizer, counted from 0. Where none is given it is 1 in the first
  /// group, and that of the first in others.
  Schedule schedule = {};
};

/// The formula by which the parameters of a group move. Those below are made by Adam, Muon, ...; one of your
/// own is stepped by Optimizer(parameters, rule, options).
struct UpdateRule {
  /// What is kept for a parameter.
  struct Slots {
    long steps = 0;                            ///< of the parameter, the present one included
    std::map<std::string, Array> arrays = {};  ///< those that the rule wants, zeros before the first step
  };
  std::string name;  ///< in errors, and in the names of state(): "adam"
  /// The new value of p, of the same shape and dtype; `lr` includes the schedule.
  std::function<Variable(const Variable& p, const Variable& g, double lr, Slots& slots)> update;
  std::vector<std::string> arrays = {};  ///< the names of what is kept for each parameter
  /// Weight decay takes lr weight_decay p off p before; otherwise it adds weight_decay p to g.
  bool decoupled = false;
  /// Throws Error for a parameter that the rule cannot step.
  std::function<void(const NamedParameter&)> check = {};
};

/// Changes parameters by their gradients, each group by its rule. Holds handles: the model may be moved or
/// written to, and std::swap may exchange its parts. What is replaced or destroyed takes its parameters out
/// of the model, and the next step() is an Error that names one. SGD, Adam, ... are Optimizers that begin
/// with a group of their rule, and nothing else.
class Optimizer {
 public:
  /// Parameters that share their rule and options.
  struct Group {
    Parameters parameters;  ///< handles to those of the model
    UpdateRule rule;        ///< how they move
    GroupOptions options;   ///< may be changed between steps
  };

  /// With one group. Throws Error as add_group does, and for a rule without an update. A model whose
  /// parameters are made when it is first called must have been called before.
  Optimizer(const Parameters& parameters, const UpdateRule& rule, const GroupOptions& options = {});
  ///@{
  /// A copy remembers the same on its own, for the same parameters.
  Optimizer(const Optimizer&);
  Optimizer(Optimizer&&) noexcept;
  Optimizer& operator=(const Optimizer&);
  Optimizer& operator=(Optimizer&&) noexcept;
  ///@}
  ~Optimizer();

  /// Further parameters with options of their own, by the rule of the first group. What is counted by steps,
  /// as the bias correction of Adam, begins with their first step. Throws Error if the list is empty, if a
  /// parameter is given twice or cannot be stepped by the rule, and if an option is negative or not finite.
  void add_group(const Parameters& parameters, const GroupOptions& options);
  /// The same with the options of the first group.
  void add_group(const Parameters& parameters);
  /// Further groups by rules of their own: Muon for the matrices and Adam for the rest are
  ///   Muon optimizer(matrices, {.lr = .02});
  ///   optimizer.add_groups(Adam(rest, {.lr = 1e-3}));
  /// Throws Error for parameters that are given twice, and when the other has taken a step.
  void add_groups(const Optimizer& other);

  /// Forgets the gradients.
  void zero_grad();
  /// One step. Parameters without a gradient stay as they are. Throws Error for a gradient that does not fit,
  /// a parameter that no model has any longer or that is given twice, and a learning rate (after the
  /// schedule) or weight decay that is negative or not finite; and Error or std::bad_alloc where memory is
  /// missing. A step that throws has changed nothing: no parameter, nothing that is remembered, no count of
  /// steps.
  void step();

  /// All groups, whose options may be looked at and changed.
  std::span<Group> groups() { return groups_; }
  /// The parameters of all groups.
  Parameters parameters() const;

  /// What the optimizer remembers, to be saved: "optimizer.step", the steps taken, and for each parameter by
  /// rule, group, place in the group and name "adam.0.2.conv1.weight.m", ... and
  /// "adam.0.2.conv1.weight.step", its own count of steps.
  std::vector<NamedArray> state() const;
  /// Takes back what state() gave an optimizer of the same groups. Throws Error, before anything is changed,
  /// that names what is missing, left over, given twice or does not fit.
  void load_state(const std::vector<NamedArray>& state);

 private:
  struct Known {
    Variable parameter;  // keeps the node, so that no other has its address
    UpdateRule::Slots slots;
  };
  /// A parameter's step, which has been thought out and is still to be taken.
  struct Update {
    Known& known;
    Array value;
    UpdateRule::Slots slots;
  };
  void add(std::vector<Group> groups);
  void check() const;
  double rate(const Group& group) const;
  void take(std::vector<Update>& updates);
  std::string prefix(std::size_t group, std::size_t place) const;

  std::vector<Group> groups_;  // at least one
  std::map<const Node*, Known> known_;
  long steps_ = 0;  // taken: schedules count by it
};

/// p -= lr g.
struct SGD : Optimizer {
  /// For the parameters of a model, parameters(model), as its first group.
  explicit SGD(const Parameters& parameters, const GroupOptions& options = {});
};

/// The numbers in the formula of Momentum and Nesterov.
struct MomentumOptions {
  double lr = 0.01;         ///< learning rate, before the schedule
  double momentum = 0.9;    ///< how much of v stays at each step
  double weight_decay = 0;  ///< times the parameter, added to its gradient
  Schedule schedule = {};   ///< the factor of lr at each step
};
/// v = momentum v + g, p -= lr v (Polyak); with a constant lr the book's formula, volume 1, page 170.
struct Momentum : Optimizer {
  /// For the parameters of a model, parameters(model), as its first group.
  explicit Momentum(const Parameters& parameters, const MomentumOptions& options = {});
};
/// v = momentum v + g, p -= lr (g + momentum v) (Nesterov, as PyTorch and the book's code write it).
struct Nesterov : Optimizer {
  /// For the parameters of a model, parameters(model), as its first group.
  explicit Nesterov(const Parameters& parameters, const MomentumOptions& options = {});
};

/// The numbers in AdaGrad's formula.
struct AdaGradOptions {
  double lr = 0.01;         ///< learning rate, before the schedule
  double eps = 1e-10;       ///< the book's is 1e-7
  double weight_decay = 0;  ///< times the parameter, added to its gradient
  Schedule schedule = {};   ///< the factor of lr at each step
};
/// h += g^2, p -= lr g / (sqrt(h) + eps) (Duchi et al., 2011; the book, volume 1, page 172).
struct AdaGrad : Optimizer {
  /// For the parameters of a model, parameters(model), as its first group.
  explicit AdaGrad(const Parameters& parameters, const AdaGradOptions& options = {});
};

/// The numbers in RMSprop's formula.
struct RMSpropOptions {
  double lr = 0.01;         ///< learning rate, before the schedule
  double alpha = 0.99;      ///< how much of h stays at each step
  double eps = 1e-8;        ///< the book's is 1e-7
  double weight_decay = 0;  ///< times the parameter, added to its gradient
  Schedule schedule = {};   ///< the factor of lr at each step
};
/// h = alpha h + (1 - alpha) g^2, p -= lr g / (sqrt(h) + eps) (Tieleman and Hinton, 2012).
struct RMSprop : Optimizer {
  /// For the parameters of a model, parameters(model), as its first group.
  explicit RMSprop(const Parameters& parameters, const RMSpropOptions& options = {});
};

/// The numbers in Adam's formula.
struct AdamOptions {
  double lr = 1e-3;  ///< learning rate, before the schedule
  ///@{
  /// How much of m, the first moment, and of v, the second, stays at each step.
  double beta1 = 0.9, beta2 = 0.999;
  ///@}
  double eps = 1e-8;        ///< added to the root of the second moment
  double weight_decay = 0;  ///< times the parameter, added to its gradient
  bool book = false;        ///< eps outside the bias correction, as in the book's code; there it is 1e-7
  Schedule schedule = {};   ///< the factor of lr at each step
};
/// m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2, corrected for their start at 0 (Kingma and Ba,
/// 2015): p -= lr m' / (sqrt(v') + eps). The book's (volume 1, page 174): p -= lr sqrt(1 - beta2^t) / (1 -
/// beta1^t) m / (sqrt(v) + eps).
struct Adam : Optimizer {
  /// For the parameters of a model, parameters(model), as its first group.
  explicit Adam(const Parameters& parameters, const AdamOptions& options = {});
};

/// The numbers in AdamW's formula.
struct AdamWOptions {
  double lr = 1e-3;  ///< learning rate, before the schedule
  ///@{
  /// How much of m, the first moment, and of v, the second, stays at each step.
  double beta1 = 0.9, beta2 = 0.999;
  ///@}
  double eps = 1e-8;           ///< added to the root of the second moment
  double weight_decay = 0.01;  ///< times lr and the parameter, taken off the parameter
  Schedule schedule = {};      ///< the factor of lr at each step
};
/// Adam with weight decay apart from the gradient: p -= lr weight_decay p first (Loshchilov and Hutter,
/// 2019).
struct AdamW : Optimizer {
  /// For the parameters of a model, parameters(model), as its first group.
  explicit AdamW(const Parameters& parameters, const AdamWOptions& options = {});
};

/// The numbers in Muon's formula.
struct MuonOptions {
  double lr = 0.02;         ///< learning rate, before the schedule
  double momentum = 0.95;   ///< how much of v stays at each step
  double weight_decay = 0;  ///< times the parameter, added to its gradient
  int newton_steps = 5;     ///< of the Newton-Schulz iteration
  ///@{
  /// Of the Newton-Schulz iteration.
  double a = 3.4445, b = -4.7750, c = 2.0315;
  ///@}
  /// The weight is first scaled to the norm sqrt(rows), as K. Jordan's CIFAR-10 recipe does.
  bool normalize = false;
  Schedule schedule = {};  ///< the factor of lr at each step
};
/// v = momentum v + g; p -= lr O, where O is the orthogonal matrix nearest to g + momentum v, by some steps
/// of Newton and Schulz: X = a X + (b A + c A A) X with A = X X' (K. Jordan et al., "Muon", 2024). For
/// weights of two axes or more, (out, in ...), taken as matrices (out, the rest). Throws Error for others. v
/// may grow to g / (1 - momentum), which the dtype must be able to hold.
struct Muon : Optimizer {
  /// For the parameters of a model, parameters(model), as its first group. Throws Error when one has fewer
  /// than two axes.
  explicit Muon(const Parameters& parameters, const MuonOptions& options = {});
};

}  // namespace xgrad
