// Deep Q-learning (Mnih et al., 2015) of the way through a grid of 6 x 6 places with a wall.
#include <xgrad/xgrad.hpp>
using namespace xgrad;

constexpr long goal = 5;  // the upper right corner

// Where a step right, left, down or up leads; the wall leaves a gap in the last row.
long move(long place, long action) {
  const long x = place % 6 + (action == 0) - (action == 1), y = place / 6 + (action == 2) - (action == 3);
  const bool free = x >= 0 && x < 6 && y >= 0 && y < 6 && (x != 3 || y == 5);
  return free ? 6 * y + x : place;
}

int main() {
  manual_seed(1);
  Sequential net{Linear(36, 64), Relu{}, Linear(64, 4)}, target = net;
  Adam adam(parameters(net), {.lr = 1e-3});
  std::vector<std::int64_t> froms, actions, tos;  // what has been experienced
  auto best = [&](long place) { return argmax(net(one_hot(array({place}), 36)), 1).item(); };
  long place = 0;
  for (int step = 1; step <= 6000; ++step) {
    const long action = rand({}).item() < .5 ? randint(4, {}).item() : best(place),
               next = move(place, action);
    froms.push_back(place), actions.push_back(action), tos.push_back(next);
    place = next == goal ? 0 : next;
    if (step % 100 == 0) target = net;
    if (step < 500) continue;
    const Array sample = randint(step, {64});
    const Variable from = take(array(froms), sample), action_ = take(array(actions), sample),
                   to = take(array(tos), sample);
    const Variable value = squeeze(gather(net(one_hot(from, 36)), 1, unsqueeze(action_, 1)), 1);
    const Variable later = max(target(one_hot(to, 36)), 1).detach();
    const Variable loss = mse_loss(value, where(to == goal, 1, .95 * later));
    adam.zero_grad();
    loss.backward();
    adam.step();
  }
  long steps = 0;
  for (place = 0; place != goal && steps < 100; ++steps) place = move(place, best(place));
  fmt::print("the way takes {} steps, the shortest 15\n", steps);
}
