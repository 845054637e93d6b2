// Members of every kind: what is found in a model, under which name, and what does not compile.
#include <any>
#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <variant>

#include <xgrad/nn/any_model.hpp>
#include <xgrad/nn/layers.hpp>
#include <xgrad/nn/optim.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"

using namespace xgrad;
using detail::Kind;
using detail::kind_of;
using tests::error_of;

namespace {

/// The names of the layers that have weights.
template <class M>
std::vector<std::string> weights(M& model) {
  std::vector<std::string> found;
  for (auto& p : parameters(model))
    if (p.name.ends_with("weight")) found.push_back(layer_of(p.name));
  return found;
}
using Paths = std::vector<std::string>;

Linear layer() { return {2, 2}; }

template <class First>
struct With {
  First first;
  Linear a{2, 2};
};

struct Inner {
  Linear inner{2, 2};
};
struct Derived : Inner {
  Linear head{2, 2};
  Derived() {}
  void each(auto&& f) { f("", static_cast<Inner&>(*this)), f("head", head); }
};
struct DerivedAggregate : Inner {
  Linear head{2, 2};
};
class Hidden {
 public:
  Hidden() {}

 private:
  Linear layer_{2, 2};
};
enum class Side { left, right };

}  // namespace

TEST_CASE("a first member that cannot be copied hides no parameter") {
  With<std::unique_ptr<Linear>> pointer{nullptr};
  CHECK(weights(pointer) == Paths{"a"});
  pointer.first = std::make_unique<Linear>(2, 2);
  CHECK(weights(pointer) == Paths{"first", "a"});
  With<std::atomic<int>> atomic{};
  CHECK(weights(atomic) == Paths{"a"});
  With<std::mutex> mutex{};
  CHECK(weights(mutex) == Paths{"a"});
  With<std::ofstream> file{};
  CHECK(weights(file) == Paths{"a"});
  With<std::vector<std::unique_ptr<Linear>>> pointers{};
  pointers.first.push_back(std::make_unique<Linear>(2, 2));
  CHECK(weights(pointers) == Paths{"first.0", "a"});
  With<std::optional<With<std::unique_ptr<Linear>>>> nested{};
  nested.first.emplace();
  CHECK(weights(nested) == Paths{"first.a", "a"});
  With<std::optional<std::mutex>> optional{};
  CHECK(weights(optional) == Paths{"a"});
}

TEST_CASE("layers are found in maps, tuples, arrays and variants", "[names]") {
  struct Net {
    std::map<std::string, Linear> by_text{{"b", layer()}, {"a", layer()}};
    std::map<int, Linear> by_number{{7, layer()}, {-1, layer()}};
    std::map<Side, Linear> by_side{{Side::right, layer()}};
    std::pair<Linear, double> pair{layer(), 1.};
    std::tuple<int, Linear, Linear> tuple{0, layer(), layer()};
    std::array<Linear, 2> array{layer(), layer()};
    Linear c_array[2]{layer(), layer()};
    Linear matrix[2][1]{{layer()}, {layer()}};
    std::variant<std::monostate, Linear, Sequential<Linear, Tanh>> variant = Sequential{layer(), Tanh{}};
    std::vector<std::vector<Linear>> nested{{layer()}, {layer()}};
    Derived derived;
    Linear last{2, 2};
  } net;
  CHECK(weights(net) == Paths{"by_text.a",  "by_text.b",  "by_number.-1",  "by_number.7",  "by_side.1",
                              "pair.0",     "tuple.1",    "tuple.2",       "array.0",      "array.1",
                              "c_array.0",  "c_array.1",  "matrix.0.0",    "matrix.1.0",   "variant.0",
                              "nested.0.0", "nested.1.0", "derived.inner", "derived.head", "last"});
  net.variant = layer();
  CHECK(weights(net)[14] == "variant");
  net.variant = std::monostate();
  CHECK(weights(net)[14] == "nested.0.0");
}

TEST_CASE("what is no layer is a constant, neither trained nor saved", "[names]") {
  struct Net {
    std::function<Variable(const Variable&)> function = relu;
    Variable (*pointer)(const Variable&) = nullptr;
    Array mean = ones({2});
    Variable constant = ones({2});
    Shape shape{2, 3};
    std::filesystem::path path = "a/b";
    std::vector<bool> bits{true};
    std::unordered_map<std::string, long> counts{{"a", 1}};
    std::map<std::pair<int, int>, double> table{{{1, 2}, 3.}};
    std::optional<double> maybe = 1.;
    std::shared_ptr<double> shared = std::make_shared<double>(1.);
    double rates[3]{1, 2, 3};
    const char* title = "net";
    std::mutex mutex{};
    Linear last{2, 2};
  } net;
  CHECK(weights(net) == Paths{"last"});
  CHECK(state(net).size() == 2);
}

TEST_CASE("a model may have 64 members") {
  struct Net {
    int a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16;
    int b1, b2, b3, b4, b5, b6, b7, b8, b9, b10, b11, b12, b13, b14, b15, b16;
    int c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16;
    int d1, d2, d3, d4, d5, d6, d7, d8, d9, d10, d11, d12, d13, d14, d15;
    Linear last{2, 2};
  } net{};
  CHECK(weights(net) == Paths{"last"});
  struct Seventeen {
    Linear first;
    int a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16;
    Linear last;
  } seventeen{layer(), 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, layer()};
  CHECK(weights(seventeen) == Paths{"first", "last"});
}

TEST_CASE("what could hide layers does not compile") {
  CHECK(kind_of<Hidden>() == Kind::unknown);
  CHECK(kind_of<Linear*>() == Kind::raw_pointer);
  CHECK(kind_of<const Parameter*>() == Kind::raw_pointer);
  CHECK(kind_of<std::unordered_map<int, Linear>>() == Kind::unordered);
  CHECK(kind_of<std::any>() == Kind::closed);
  CHECK(kind_of<std::weak_ptr<Linear>>() == Kind::closed);
  CHECK(kind_of<std::reference_wrapper<Linear>>() == Kind::closed);
  CHECK(kind_of<std::unique_ptr<Linear[]>>() == Kind::closed);
  auto closure = [l = layer()](const Variable& x) { return l(x); };
  CHECK(kind_of<decltype(closure)>() == Kind::unknown);
  CHECK(detail::has_base<DerivedAggregate>(detail::Count<1>{}));
  CHECK_FALSE(detail::has_base<With<Inner>>(detail::Count<1>{}));
  CHECK_FALSE(detail::has_base<With<std::any>>(detail::Count<1>{}));
  struct Large {
    Linear first{2, 2};
    float table[100]{};
  };
  CHECK(detail::initialisers<Large>() > detail::most_members);
  struct Empty {};
  CHECK(detail::member_count<Empty>() == 0);
}

TEST_CASE("an optimizer without parameters is an error that says what to do") {
  struct Net {
    double slope = 1;
  } net;
  const std::string error =
      "adam: there is nothing to train: it was given no parameters. A model's are its layers and members of "
      "type Parameter, also those named by its each(); what is made by the first call is there after it";
  CHECK(error_of([&] { Adam adam(parameters(net)); }) == error);
  Inner some;
  Adam adam(parameters(some));
  CHECK(error_of([&] { adam.add_group(parameters(net)); }) == error);
  CHECK(adam.groups().size() == 1);

  struct Lazy {  // sized by its first call
    mutable Parameter weight{};
    Variable operator()(const Variable& x) const {
      if (!weight.defined()) weight = Parameter(ones({x.dim(1)}));
      return x * weight;
    }
  } lazy;
  CHECK(error_of([&] { Adam early(parameters(lazy)); }) == error);
  lazy(ones({2, 3}));
  CHECK(Adam(parameters(lazy)).parameters()[0].value.shape() == Shape{3});
}

TEST_CASE("an AnyModel is a value, and a member like any other", "[names]") {
  struct Net {
    AnyModel body = Sequential{Linear(2, 3), Tanh{}};
    Linear head{3, 1};
    Variable operator()(const Variable& x) const { return head(body(x)); }
  } net;
  CHECK(weights(net) == Paths{"body.0", "head"});
  const Net best = net;
  SGD sgd(parameters(net), {.lr = 1});
  auto step = [&] {
    sgd.zero_grad();
    sum(net(ones({1, 2}))).backward();
    sgd.step();
  };
  const double before = net(ones({1, 2})).item();
  step();
  CHECK(net(ones({1, 2})).item() != before);
  CHECK(best(ones({1, 2})).item() == before);
  net.head = best.head;
  net.body = best.body;  // writes into the parameters, which the optimizer still holds
  CHECK(net(ones({1, 2})).item() == before);
  step();
  CHECK(net(ones({1, 2})).item() != before);
  net.body = Sequential{Linear(2, 3), Relu{}};  // of another type
  CHECK(error_of(step).find("no longer belongs to a model") != std::string::npos);

  AnyModel owner = With<std::unique_ptr<Linear>>{nullptr}.a;
  CHECK(weights(owner) == Paths{""});
  struct Owner {
    std::unique_ptr<Linear> layer = std::make_unique<Linear>(2, 2);
    Variable operator()(const Variable& x) const { return (*layer)(x); }
  };
  AnyModel fixed = Owner();
  CHECK(error_of([&] { AnyModel copy = fixed; }).ends_with("Owner cannot be copied"));
}
