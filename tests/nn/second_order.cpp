// The gradient as part of the loss: a gradient penalty on whole networks, against finite differences in f64.
#include <xgrad/core/tape/gradcheck.hpp>
#include <xgrad/nn/models/deep_convnet.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"

using namespace xgrad;

namespace {

/// loss + the norm of its gradient with respect to the images and to all parameters, as a function of the
/// parameters. Checked by gradcheck: its first order holds the second derivatives of the network.
template <class Net, class Loss>
GradcheckReport check_penalty(Net& net, const Array& images, Loss loss_of) {
  to(net, DType::f64);
  std::vector<Array> values;  // biases of 0 would leave units that are never active right on the kink of ReLU
  for (auto& p : parameters(net))
    values.push_back(p.value.rank() > 1 ? p.value.data()
                                        : default_generator().normal(p.value.shape(), .1, .1, DType::f64));
  auto penalty = [&](const std::vector<Variable>& given) {
    std::size_t i = 0;
    visit(net, [&](const std::string&, auto& leaf) {
      if constexpr (std::same_as<std::remove_cvref_t<decltype(leaf)>, Parameter>)
        static_cast<Variable&>(leaf) = given[i++];
    });
    const Variable x(images, requires_grad);
    const Variable loss = loss_of(net(x));
    std::vector<Variable> wanted = given;
    wanted.push_back(x);
    Variable total = 0;
    for (auto& g : grad(loss, wanted, {.create_graph = true})) total += sum(square(g));
    return loss + sqrt(total);
  };
  // For its differences gradcheck gives constants; the penalty needs leaves.
  auto with_leaves = [&](const std::vector<Variable>& given) {
    std::vector<Variable> leaves;
    for (auto& v : given) leaves.push_back(v.requires_grad() ? v : Variable(v.data(), requires_grad));
    return penalty(leaves);
  };
  return gradcheck(with_leaves, values, {.order = 1, .step = 1e-6, .tolerance = 1e-5, .max_elements = 12});
}

struct NormNet {
  Conv2d conv1{2, 3, {.kernel = 3, .padding = 1}};
  BatchNorm norm1{3};
  Conv2d conv2{3, 4, {.kernel = 3, .stride = 2}};
  BatchNorm norm2{4};
  Linear fc{16, 3};
  Variable operator()(const Variable& x) const {
    return fc(flatten(gelu(norm2(conv2(gelu(norm1(conv1(x))))))));
  }
};

}  // namespace

TEST_CASE("the gradient penalty of the headline network's loss differentiates") {
  manual_seed(2);
  DeepConvNet net({.widths = {2, 4, 8}, .hidden = 32});  // 2, 2, 4, 4, 8 and 8 channels
  net.dropout.p = 0;
  const Array images = default_generator().uniform({2, 3, 32, 32}, 0, 1, DType::f64);
  const Array labels = default_generator().integers({2}, 0, 10);
  const auto report = check_penalty(
      net, images, [&](const Variable& logits) { return cross_entropy(logits, labels, {.epsilon = 1e-7}); });
  INFO(report.message);
  CHECK(report.passed);
  CHECK(report.checked > 100);
}

TEST_CASE("so does that of a network with batch normalisation in training mode") {
  manual_seed(4);
  NormNet net;
  const Array images = default_generator().normal({3, 2, 5, 5}, 0, 1, DType::f64);
  const Array labels = default_generator().integers({3}, 0, 3);
  const auto report =
      check_penalty(net, images, [&](const Variable& logits) { return cross_entropy(logits, labels); });
  INFO(report.message);
  CHECK(report.passed);
  CHECK(report.checked > 50);
}
