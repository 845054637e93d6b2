// Saves a model of its own, or loads it: by programs of several compilers, which must call its members the
// same.
#include <optional>

#include <xgrad/xgrad.hpp>
using namespace xgrad;

namespace {

struct Block {
  Linear inner{3, 3};
  Dropout dropout{.p = .5};
};
struct Net {
  std::vector<Block> blocks{2};
  std::optional<Linear> maybe = Linear(2, 2);
  BatchNorm norm{3};
};

}  // namespace

int main(int, char** argv) {
  struct Local {
    Net net;
    Linear last{3, 1};
  } model;
  const std::string file = argv[2];
  if (argv[1] == std::string("save")) {
    manual_seed(5);
    model = {};
    save(model, file);
    return 0;
  }
  load(model, file);
  manual_seed(5);
  Local same;
  for (std::size_t i = 0; i < state(model).size(); ++i) {
    const NamedArray a = state(model)[i], b = state(same)[i];
    fmt::print("{}\n", a.name);
    if (a.name != b.name || sum(abs(Variable(a.value) - Variable(b.value))).item() != 0) return 1;
  }
}
