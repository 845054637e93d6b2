// Snapshots of models that share layers by pointers.
#include <xgrad/nn/clone.hpp>

#include <memory>

#include <xgrad/nn/formats/checkpoint.hpp>
#include <xgrad/nn/layers.hpp>
#include <xgrad/nn/optim.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"

using namespace xgrad;
using tests::error_of;
using tests::values;

namespace {

struct Tied {
  std::shared_ptr<Linear> in = std::make_shared<Linear>(2, 2), out = in;
  std::vector<std::shared_ptr<BatchNorm>> norms{std::make_shared<BatchNorm>(2)};
  std::shared_ptr<Linear> none = nullptr;
  Linear own{2, 2};
};

void train(auto& net) {
  NoGrad off;
  for (auto& p : parameters(net)) p.value += 1;
}

}  // namespace

TEST_CASE("clone copies what shared pointers hold, and keeps it shared") {
  Tied net;
  const Tied best = clone(net);
  CHECK(best.in != net.in);
  CHECK(best.in == best.out);
  CHECK(best.norms[0] != net.norms[0]);
  CHECK(best.none == nullptr);
  const auto before = values(net.in->weight);
  train(net);
  CHECK(values(net.in->weight) != before);
  CHECK(values(best.in->weight) == before);
  CHECK(values(best.own.weight) != values(net.own.weight));
}

TEST_CASE("clone copies a cycle, and layers that hold others") {
  struct Part {
    Linear layer{1, 1};
    std::shared_ptr<Part> next = nullptr;
  };
  Part first{.next = std::make_shared<Part>()};
  first.next->next = first.next;
  const Part copy = clone(first);
  CHECK(copy.next != first.next);
  CHECK(copy.next->next == copy.next);
  first.next->next = copy.next->next = nullptr;
}

TEST_CASE("clone refuses pointers into the middle of what another one owns") {
  struct Outer {
    Linear first{1, 1}, second{1, 1};
  };
  struct Net {
    std::shared_ptr<Outer> whole = std::make_shared<Outer>();
    std::shared_ptr<Linear> part{whole, &whole->second};
  } net;
  CHECK(error_of([&] { clone(net); }) ==
        "clone: two pointers of the model share an owner, but not the object that they point to; such a "
        "model cannot be copied");
}

TEST_CASE("state is a snapshot of any model, which load_state puts back") {
  struct Net {
    std::unique_ptr<Linear> layer = std::make_unique<Linear>(2, 2);
    Tied tied;
  } net;
  const auto best = state(net);
  const auto before = values(net.layer->weight), shared = values(net.tied.in->weight);
  SGD sgd(parameters(net), {.lr = 1});
  train(net);
  CHECK(values(net.layer->weight) != before);
  load_state(net, best);
  CHECK(values(net.layer->weight) == before);
  CHECK(values(net.tied.out->weight) == shared);
  net.layer->weight.mutable_grad() = ones({2, 2});
  sgd.step();  // it still holds the parameters
  CHECK(net.layer->weight.data().data<float>()[0] == float(before[0]) - 1);
}
