// What lies in libraries of its own: archives, data sets on file, linear algebra; and what else xgrad.hpp
// has.
#include <xgrad/nn/whitening.hpp>
#include <xgrad/xgrad.hpp>
using namespace xgrad;

int main(int, char** argv) {
  const std::string file = std::string(argv[0]) + ".npz";
  save_npz(file, {{{"x", arange(6)}}, {}});
  if (load_npz(file).arrays.size() != 1) return 1;
  try {
    cifar10({.folder = "/none"});
    return 1;
  } catch (const Error& e) {
    fmt::print("{}\n", e.what());
  }
  Loader loader(shapes(64, 8).train, {.batch = 8});
  const Batch batch = loader.next();
  fmt::print("{} {} on {} threads\n", batch.images.shape(), batch.images.dtype(), threads::count());
  fmt::print("{}\n", whitening_filters(batch.images).shape());
}
