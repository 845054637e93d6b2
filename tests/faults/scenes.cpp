// Small pieces of work, each with every allocation that fails in turn: it must end in an error or well, and
// go well when it is done again by the same process.
//   LD_PRELOAD=build/tests/libfaults.so build/tests/faults-scenes FOLDER [EVERY [NAME]]
#include <fmt/format.h>
#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include <xgrad/core/base/digest.hpp>
#include <xgrad/core/base/files.hpp>
#include <xgrad/core/base/memory.hpp>
#include <xgrad/core/base/profile.hpp>
#include <xgrad/core/base/threads.hpp>
#include <xgrad/core/tape/anomaly.hpp>
#include <xgrad/core/tape/gradcheck.hpp>
#include <xgrad/core/tape/graph.hpp>
#include <xgrad/datasets/cifar.hpp>
#include <xgrad/datasets/download.hpp>
#include <xgrad/datasets/image.hpp>
#include <xgrad/datasets/loader.hpp>
#include <xgrad/datasets/mnist.hpp>
#include <xgrad/datasets/synthetic.hpp>
#include <xgrad/nn/formats/numpy.hpp>
#include <xgrad/nn/models/simple_convnet.hpp>
#include <xgrad/nn/run/run_folder.hpp>
#include <xgrad/nn/run/training_state.hpp>
#include <xgrad/nn/summary.hpp>
#include <xgrad/xgrad.hpp>
#include "tests/faults/apart.hpp"
#include "tests/faults/calls.hpp"
#include "tests/helpers.hpp"
#include "tests/hostile/files.hpp"

using namespace xgrad;
using namespace xgrad::tests;
namespace fs = std::filesystem;

namespace {

/// Work and its name; what it returns must always be the same.
struct Scene {
  std::string name;
  std::function<std::string()> work;
};
fs::path base;

using tests::bits;
std::string bits(const Tensors& tensors) {
  std::string all;
  for (auto& [name, array] : tensors.arrays) all += name + bits(array);
  return all;
}

/// The files that readers are tried with, but for those that take long.
void add_files(std::vector<Scene>& scenes, const std::string& name, const std::vector<HostileFile>& files,
               const std::function<std::string(const fs::path&)>& read) {
  for (auto& file : files) {
    if (file.bytes.size() > 20'000) continue;
    const fs::path folder = base / name;
    fs::create_directories(folder);
    const fs::path path = folder / (name == "settings" ? "settings.json" : fmt::format("{}", scenes.size()));
    scenes.push_back({fmt::format("{}: {}", name, file.name), [=] {
                        if (name == "settings") std::ofstream(path, std::ios::binary) << file.bytes;
                        return read(path);
                      }});
    std::ofstream(path, std::ios::binary) << file.bytes;
  }
}

void add_readers(std::vector<Scene>& scenes) {
  const Tensors tensors{{{"a", arange(6).reshape({2, 3})}, {"b", zeros({40})}}, {{"key", "value"}}};
  save_tensors(base / "good.safetensors", tensors);
  save_npz(base / "good.npz", tensors);
  auto read = [&](const char* name, const std::vector<HostileFile>& files, auto f) {
    add_files(scenes, name, files, f);
  };
  read("safetensors", hostile_safetensors(), [](const fs::path& p) { return bits(load_tensors(p)); });
  read("checkpoint", hostile_checkpoints(), [](const fs::path& p) {
    return bits({load_training(p).model, {}});
  });
  read("npy", hostile_npy(), [](const fs::path& p) { return bits(load_npy(p)); });
  read("npz", hostile_npz(), [](const fs::path& p) { return bits(load_npz(p, {.unpacked = 1 << 20})); });
  read("pickle", hostile_pickles(), [](const fs::path& p) { return bits(load_pickle(p)); });
  read("metrics", hostile_metrics(),
       [](const fs::path& p) { return std::to_string(read_metrics(p).size()); });
  read("settings", hostile_settings(),
       [](const fs::path& p) { return std::to_string(load_settings(p.parent_path()).size()); });
  read("picture", hostile_images(), [](const fs::path& p) { return bits(load_image(p)); });
  read("idx", hostile_idx(), [](const fs::path& p) { return bits(read_idx(p, 1)); });
  read("cifar", hostile_cifar(),
       [](const fs::path& p) { return bits(read_cifar({p}, {.records = 2}).images); });
  read("archive", hostile_archives(), [](const fs::path& p) {
    const fs::path to = base / "unpacked";
    remove_folder(to.c_str());
    unpack(p, to, {.unpacked = 1 << 20});
    std::error_code error;
    const auto names = names_in(to, error);
    if (error) fail("{}", error.message());
    return fmt::format("{}", fmt::join(names, " "));
  });
  scenes.push_back({"good safetensors", [] { return bits(load_tensors(base / "good.safetensors")); }});
  scenes.push_back({"good npz", [] { return bits(load_npz(base / "good.npz")); }});
}

void add_writers(std::vector<Scene>& scenes) {
  scenes.push_back({"png", [] { return png_bytes(full({3, 20, 30}, 77, DType::u8)); }});
  scenes.push_back({"npz and back", [] {
                      save_npz(base / "t.npz", {{{"a", arange(6)}, {"b", ones({2, 3})}}, {}});
                      return bits(load_npz(base / "t.npz"));
                    }});
  scenes.push_back({"run folder", [] {
                      const fs::path folder = base / "run";
                      RunFolder run("faults", folder, true, {{"seed", "1"}, {"name", "a \"b\""}});
                      run.metrics().write({{"step", 1l}, {"loss", .5}, {"accuracy", .25}});
                      run.finish({{"note", std::string("done")}});
                      return fmt::format("{}", fmt::join(run.metrics().column("loss"), " "));
                    }});
  scenes.push_back({"lock that is held", [] {
                      make_folder(base / "locked");
                      const FolderLock lock(base / "locked");
                      try {
                        FolderLock again(base / "locked");
                      } catch (const Error& e) {
                        return std::string(e.what()).substr(0, 20);
                      }
                      return std::string("held twice");
                    }});
}

/// Elements that are asked for, and again where memory was missing at first: nothing may be written over by a
/// program that did not end.
std::string asked_twice(const Array& a) {
  try {
    evaluate(a);
  } catch (const std::exception&) {
  }
  return bits(a);
}

void add_arithmetic(std::vector<Scene>& scenes) {
  for (long n : {5000l, 200'000l}) {
    scenes.push_back({fmt::format("a chain written over its operand, {}", n), [n] {
                        Array x = arange(n, DType::f32);
                        Array y = (Variable(std::move(x)) * 2 + 1).data();
                        evaluate(y);
                        Variable z(std::move(y));
                        Array w = (tanh(z * .001) + z * z).data();
                        z = {};
                        return asked_twice(w);
                      }});
    for (const Shape& to : {Shape{1, 40}, Shape{1, 1}, Shape{0, 1}})
      scenes.push_back({fmt::format("a sum of {} to {}", n, to), [=] {
                          const Variable x(arange(n, DType::f32).reshape({n / 40, 40}));
                          const Shape target{to[0] ? 1 : n / 40, to[1]};
                          const Variable y = tanh(x * .001) * 3 + x;
                          return asked_twice(sum_to(y, target).data()) + asked_twice(y.data());
                        }});
    scenes.push_back(
        {fmt::format("channels of {}", n), [n] {
           const Variable x(arange(n, DType::f64).reshape({n / 500, 10, 50})), m = mean(x, {0, 2}, keepdims);
           return asked_twice(sum(square(x - m), {0, 2}).data());
         }});
  }
  scenes.push_back({"gradients of gradients", [] {
                      const Variable x(arange(12, DType::f64), requires_grad);
                      Variable y = sum(tanh(x * .1) * exp(x * -.2) + pow(x + 1, 3));
                      const Variable g = grad(y, {x}, {.create_graph = true})[0];
                      return bits(grad(sum(g * g), {x})[0].data());
                    }});
  scenes.push_back({"backward with a hook", [] {
                      Variable x(arange(12, DType::f32), requires_grad);
                      x.register_hook([](const Variable& g) { return g * 2; });
                      x.set_name("x");
                      Variable y = sum(x * x);
                      y.backward();
                      return bits(x.grad()) + std::to_string(graphviz(y).size()) +
                             std::to_string(graph(y).size());
                    }});
  scenes.push_back({"gradcheck", [] {
                      const auto report = gradcheck([](auto& x) { return sum(x[0] * tanh(x[1])); },
                                                    {arange(4, DType::f64), ones({4}, DType::f64)});
                      return std::to_string(report.passed);
                    }});
  scenes.push_back({"anomaly", [] {
                      DetectAnomaly detect;
                      Variable x(zeros({3}), requires_grad);
                      return bits(log(x + 1).data()) + bits(log(x).data());
                    }});
  scenes.push_back({"profile", [] {
                      profile::start();
                      const Variable m(ones({20, 20}));
                      const std::string result = bits(matmul(m, m).data());
                      profile::table(profile::stop(), 1);
                      return result;
                    }});
  scenes.push_back({"random numbers", [] {
                      Generator g(3);
                      return bits(g.normal({50})) + bits(g.uniform({50})) +
                             std::to_string(g.permutation(9)[3]);
                    }});
}

template <class O>
void add_optimizer(std::vector<Scene>& scenes, const char* name) {
  scenes.push_back({name, [] {
                      Parameters parameters{{"w", Variable(ones({4, 3}), requires_grad)},
                                            {"u", Variable(ones({80, 80}), requires_grad)}};
                      O optimizer(parameters), other(parameters);
                      for (int i = 0; i < 2; ++i) {
                        optimizer.zero_grad();
                        for (auto& p : parameters) sum(p.value * p.value).backward();
                        optimizer.step();
                      }
                      other.load_state(optimizer.state());
                      std::string all;
                      for (auto& p : parameters) all += bits(p.value.data());
                      for (auto& entry : other.state()) all += entry.name + bits(entry.value);
                      return all;
                    }});
}

void add_networks(std::vector<Scene>& scenes) {
  add_optimizer<SGD>(scenes, "sgd");
  add_optimizer<Momentum>(scenes, "momentum");
  add_optimizer<Nesterov>(scenes, "nesterov");
  add_optimizer<AdaGrad>(scenes, "adagrad");
  add_optimizer<RMSprop>(scenes, "rmsprop");
  add_optimizer<Adam>(scenes, "adam");
  add_optimizer<AdamW>(scenes, "adamw");
  add_optimizer<Muon>(scenes, "muon");
  scenes.push_back({"summary", [] {
                      manual_seed(1);
                      SimpleConvNet net(1, 12);
                      return summary(net, {1, 1, 12, 12}).text();
                    }});
  scenes.push_back({"loaders", [] {
                      std::string all;
                      for (long prefetch : {0, 2}) {
                        Loader loader(shapes(6, 0, 1).train, {.batch = 4, .prefetch = prefetch});
                        Loader copy = loader;
                        for (int i = 0; i < 3; ++i) all += bits(loader.next().images);
                        all += bits(copy.next().labels);
                      }
                      return all;
                    }});
}

/// What the work returns or says.
std::string outcome_of(const Scene& scene) {
  try {
    return scene.work();
  } catch (const std::exception& e) {
    return std::string("error: ") + text_of(e);
  }
}

struct Counts {
  long place = 0, errors = 0, successes = 0, ended = 0, wrong = 0;
};

constexpr long most_places = 20'000;  // a scene of more would take minutes, and is left out

/// libarchive itself ends the process where memory for a text of its own is missing, or uses a null pointer.
bool may_end(const Scene& scene) {
  return scene.name.find("npz") != scene.name.npos || scene.name.starts_with("archive");
}

/// The places of a scene from `first` on; what is counted outlives the process.
std::string try_places(const Scene& scene, long first, long every, Counts& counts) {
  const std::string right = outcome_of(scene);
  faults_begin(-1, 0);
  outcome_of(scene);
  faults_end();
  if (faults_count(malloc_call) > most_places) return "";
  const auto held = [] { return fmt::format("{} bytes, {} nodes", memory::in_use(), live_nodes()); };
  const std::string held_before = held();
  for (long n = first;; n += every) {
    counts.place = n;
    memory::trim();
    bool failed = false;
    faults_begin(malloc_call, n);
    try {
      const std::string result = scene.work();
      faults_end();
      if (result != right) return "other results";
    } catch (const std::exception&) {
      faults_end();
      failed = true;
    }
    if (faults_count(malloc_call) < n) return "";
    ++(failed ? counts.errors : counts.successes);
    if (held() != held_before) return fmt::format("leaks: {} after {}", held(), held_before);
    if (const std::string again = outcome_of(scene); again != right) return "again: " + again.substr(0, 200);
  }
}

int run(int argc, char** argv) {
  expect(faults_begin, "faults: the library is not preloaded: LD_PRELOAD=build/tests/libfaults.so");
  expect(argc >= 2, "usage: faults-scenes FOLDER [EVERY [NAME]]");
  base = argv[1];
  const long every = argc > 2 ? std::stol(argv[2]) : 1;
  fs::create_directories(base);
  setvbuf(stdout, nullptr, _IOLBF, 0);
  setenv("PATH", "/", 1);
  threads::set(1);  // no other thread may be there at a fork
  Digest();         // OpenSSL, as it starts, reads through a null pointer where memory is missing
  std::vector<Scene> scenes;
  add_arithmetic(scenes), add_networks(scenes), add_writers(scenes), add_readers(scenes);
  auto& counts = *static_cast<Counts*>(
      mmap(nullptr, sizeof(Counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  Counts all;
  for (auto& scene : scenes) {
    if (argc > 3 && scene.name.find(argv[3]) == scene.name.npos) continue;
    counts = {};
    for (long first = 1; first > 0;) {
      const Ended ended = apart(120, [&] {
        threads::set(2);
        return try_places(scene, first, every, counts);
      });
      const std::string wrong = ended.how.empty() ? ended.text : ended.how;
      first = wrong.empty() ? 0 : counts.place + every;
      if (wrong.empty()) continue;
      const bool meant = may_end(scene) && (wrong == "ends with code 1" || wrong == strsignal(SIGSEGV));
      ++(meant ? counts.ended : counts.wrong);
      if (!meant) std::printf("%s: place %ld: %s\n", scene.name.c_str(), counts.place, wrong.c_str());
      if (counts.wrong == 20) break;
    }
    all.errors += counts.errors, all.successes += counts.successes, all.ended += counts.ended;
    all.wrong += counts.wrong;
  }
  std::printf("%zu scenes: %ld places, %ld errors, %ld successes, %ld ended by libarchive, %ld wrong\n",
              scenes.size(), all.errors + all.successes + all.ended + all.wrong, all.errors, all.successes,
              all.ended, all.wrong);
  return all.wrong ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) try { return run(argc, argv); } catch (const std::exception& e) {
  std::fprintf(stderr, "error: %s\n", text_of(e));
  return 2;
}
