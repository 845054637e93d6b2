// Regression from a CSV file: prices of houses from their area, rooms and age.
#include <xgrad/xgrad.hpp>
using namespace xgrad;

int main(int, char** argv) {
  manual_seed(1);
  const Table table = load_csv(argv[1]);
  Variable x = table.numbers({"area", "rooms", "age"}), y = table.numbers({"price"});
  x = (x - mean(x, 0, keepdims)) / sqrt(var(x, 0, keepdims));
  y = y / 100000;
  const auto [train, test] = random_split(Arrays{x, y}, {.8, .2}, 1);

  Sequential net{Linear(3, 32), Relu{}, Linear(32, 32), Relu{}, Linear(32, 1)};
  AdamW adam(parameters(net), {.lr = 1e-2});
  Loader loader(train, {.batch = 32});
  fit(net, adam, loader, {.epochs = 40, .loss = mse_loss});

  const auto& [inputs, prices] = test.arrays;
  const Variable error = mse_loss(net(inputs), prices);
  fmt::print("R2 of {} houses that were not trained on: {:.3f}\n", test.size(),
             1 - (error / var(prices)).item());
  fmt::print("the first: {:.3f}, predicted {:.3f}\n", prices.item(0, 0), net(inputs).item(0, 0));
}
