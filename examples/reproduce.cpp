// Runs the experiments of the posts and writes one table: reported, and measured here.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include <xgrad/core/base/files.hpp>
#include <xgrad/core/base/threads.hpp>
#include <xgrad/datasets/loader.hpp>
#include <xgrad/nn/formats/numpy.hpp>
#include <xgrad/nn/models/deep_convnet.hpp>
#include <xgrad/nn/models/mlp.hpp>
#include <xgrad/nn/run/progress.hpp>
#include <xgrad/nn/run/run_folder.hpp>
#include <xgrad/xgrad.hpp>
#include "examples/common/experiments.hpp"
#include "examples/common/interruptible.hpp"

using namespace xgrad;

namespace {

struct Options {
  std::vector<std::string> ids;
  std::uint64_t seed = 1;
  std::optional<long> epochs;
  long numerical_steps = 10;
  std::optional<int> threads;
  std::filesystem::path data, out = "runs/reproduce", pickles;
  bool list = false;
};

/// A line of the table.
struct Row {
  std::string id, title, reported, measured, seed, steps, time, note;
};

std::string percent(double accuracy) { return fmt::format("{:.2f}", 100 * accuracy); }
std::string percent(const std::optional<double>& accuracy) { return accuracy ? percent(*accuracy) : "-"; }

/// Ends a run, and says why it has no curves where it has none.
void finish(RunFolder& folder, const MetricsLog::Entries& last) {
  if (const Drawing curves = folder.finish(last); !curves) print("  no curves: {}\n", curves.failure);
}

/// Trains one network, or goes on where an earlier program stopped.
Row train(const Experiment& e, const Options& o) {
  const Split data = load_data(e.data, o.data);
  const long epochs = o.epochs.value_or(e.epochs);
  const std::uint64_t seed = o.seed + e.seed_offset;
  RunFolder folder(e.name, o.out / e.id, true,
                   {{"experiment", e.id},
                    {"network", e.title},
                    {"data", e.data},
                    class_names(data.train),
                    {"epochs", fmt::format("{}", epochs)},
                    {"steps", fmt::format("{}", e.epoch_steps)},
                    {"batch", "100"},
                    {"seed", fmt::format("{}", seed)}});
  manual_seed(seed);
  AnyModel model = e.model();
  Optimizer optimizer = e.optimizer(model);
  Loader batches(data.train, {.batch = 100, .replacement = true, .seed = seed});
  Loader test(data.test, {.batch = 500, .shuffle = false}), all(data.train, {.batch = 500, .shuffle = false});
  print("{} {}: {}, {} epochs of {} steps, {} parameters\n", e.id, e.name, e.title, epochs, e.epoch_steps,
        parameter_count(model));
  tell_resumed(folder);
  auto on_epoch = [&](const EpochReport& report) {
    const Score score = evaluate(model, test.epoch());
    save(model, folder.parameters());
    folder.metrics().write({{"epoch", report.epoch},
                            {"step", report.steps},
                            {"train_loss", report.train.loss},
                            {"train_accuracy", report.train.accuracy},
                            {"test_accuracy", score.accuracy},
                            {"seconds", report.train.seconds}});
    if (report.epoch % std::max(1l, epochs / 10) == 0) {
      print("  epoch {:3}  loss {:.4f}  test accuracy {:.4f}\n", report.epoch, report.train.loss,
            score.accuracy);
    }
    return true;
  };
  fit_interruptibly(model, optimizer, batches,
                    {.epochs = epochs,
                     .steps_per_epoch = e.epoch_steps,
                     .checkpoint = folder.checkpoint(),
                     .on_epoch = on_epoch});
  const double on_test = evaluate(model, test.epoch()).accuracy,
               on_train = evaluate(model, all.epoch()).accuracy;
  finish(folder, {{"final_test_accuracy", on_test}, {"final_train_accuracy", on_train}});
  return {e.id,
          fmt::format("{}: {}", e.data, e.title),
          fmt::format("{} / {}", percent(e.reported_test), percent(e.reported_train)),
          fmt::format("{} / {}", percent(on_test), percent(on_train)),
          fmt::format("{}", seed),
          fmt::format("{}", epochs * e.epoch_steps),
          clock_text(folder.training_seconds()),
          e.reported_by};
}

/// The two-layer network of the book's chapter 4 and its parameters' arrays.
MLP sigmoid_net() { return MLP({784, 50, 10}, {.activation = sigmoid, .init = normal(.01)}); }

/// Its loss as a function of its parameters.
TestFunction loss_of(const Batch& batch) {
  return [=](const std::vector<Variable>& values) {
    const Variable hidden = sigmoid(linear(flatten(Variable(batch.images)), values[0], values[1]));
    return cross_entropy(linear(hidden, values[2], values[3]), batch.labels);
  };
}
std::vector<Array> arrays(const MLP& net) {
  std::vector<Array> result;
  for (auto& [name, array] : state(net)) result.push_back(array);
  return result;
}

/// One learns by differences, the other by backpropagation.
struct Twins {
  MLP by_differences, by_backpropagation;
};

/// S12: the gradients are differences, two evaluations of the network for each of 39,760 parameters. A twin
/// takes the same steps by backpropagation. Each step takes seconds, and all is saved after it.
Row train_numerically(const Options& o) {
  const Split data = load_data("mnist", o.data);
  RunFolder folder("mnist-numerical", o.out / "S12", true,
                   {{"experiment", "S12"},
                    {"network", "784-50-10, sigmoid, numerical gradients, SGD .1"},
                    {"data", "mnist"},
                    {"steps", fmt::format("{}", o.numerical_steps)},
                    {"batch", "100"},
                    {"seed", fmt::format("{}", o.seed)}});
  manual_seed(o.seed);
  MLP first = sigmoid_net();
  Twins twins{first, first};
  MLP &net = twins.by_differences, &twin = twins.by_backpropagation;
  SGD sgd(parameters(twin), {.lr = .1});
  Loader batches(data.train, {.batch = 100, .replacement = true, .seed = o.seed}),
      test(data.test, {.batch = 500, .shuffle = false}), all(data.train, {.batch = 500, .shuffle = false});
  print("S12 mnist-numerical: 784-50-10, sigmoid, numerical gradients, SGD .1, {} steps\n",
        o.numerical_steps);
  tell_resumed(folder);
  if (folder.steps_done()) {
    const TrainingState saved = load_training(folder.checkpoint());
    load_state(twins, {saved.model, {}}, folder.checkpoint());
    sgd.load_state(saved.optimizer);
    batches.restore({saved.loader[0], long(saved.loader[1]), long(saved.loader[2])});
  } else {
    folder.metrics().write({{"step", 0l}, {"test_loss", evaluate(net, test.epoch()).loss}});
  }
  const auto losses = folder.metrics().column("test_loss");
  expect(!losses.empty(), "{}: the metrics lack the test_loss of step 0", folder.path().string());
  const double before = losses[0];
  ProgressBar bar("step", o.numerical_steps, true, folder.steps_done());
  for (long step = folder.steps_done() + 1; step <= o.numerical_steps; ++step) {
    const Interrupt interrupt;
    const Stopwatch watch;
    const Batch batch = batches.next();
    const auto gradients = numerical_gradient(loss_of(batch), arrays(net), 1e-2);
    auto p = parameters(net);
    for (std::size_t i = 0; i < p.size(); ++i)
      p[i].value.set_data((p[i].value.detach() - Variable(gradients[i]) * .1).data());
    sgd.zero_grad();
    cross_entropy(twin(Variable(batch.images)), batch.labels).backward();
    sgd.step();
    folder.metrics().write({{"step", step}, {"seconds", watch.seconds()}});
    const auto at = batches.state();
    save_training(folder.checkpoint(), {state(twins),
                                        sgd.state(),
                                        default_generator(),
                                        {at.seed, std::uint64_t(at.epoch), std::uint64_t(at.position)},
                                        {.step = step}});
    bar.update(step, "");
    if (const int signal = interrupt.signal()) throw Interrupted{signal};
  }
  const Score score = evaluate(net, test.epoch());
  finish(folder, {{"final_test_loss", score.loss}, {"final_test_accuracy", score.accuracy}});
  return {"S12",
          "mnist: 784-50-10, sigmoid, numerical gradients, SGD .1",
          "- / -",
          fmt::format("{} / {}", percent(score.accuracy), percent(evaluate(net, all.epoch()).accuracy)),
          fmt::format("{}", o.seed),
          fmt::format("{}", o.numerical_steps),
          clock_text(folder.training_seconds()),
          fmt::format("test loss {:.4f} -> {:.4f}, by backpropagation {:.4f}; the book's 1,000 steps: "
                      "--numerical-steps 1000",
                      before, score.loss, evaluate(twin, test.epoch()).loss)};
}

/// S13: the mean absolute difference between backpropagation and differences, a parameter.
Row check_gradients(const Options& o) {
  const Split data = load_data("mnist", o.data);
  manual_seed(o.seed);
  MLP net = sigmoid_net();
  const Batch few = make_batch(data.train, 0, 3);
  const Batch batch{few.images.cast(DType::f64), few.labels};
  std::vector<Array> values;
  for (auto& a : arrays(net)) values.push_back(a.cast(DType::f64));
  const Stopwatch watch;
  const TestFunction loss = loss_of(batch);
  std::vector<Variable> variables;
  for (auto& v : values) variables.emplace_back(v, requires_grad);
  loss(variables).backward();
  const auto numerical = numerical_gradient(loss, values, 1e-4);
  std::string text;
  const char* names[] = {"W1", "b1", "W2", "b2"};
  for (std::size_t i = 0; i < values.size(); ++i)
    text += fmt::format("{}{} {:.1e}", i ? ", " : "", names[i],
                        mean(abs(Variable(variables[i].grad()) - Variable(numerical[i]))).item());
  return {"S13",
          "mnist: gradient check of 784-50-10, 3 images, f64",
          "-",
          text,
          fmt::format("{}", o.seed),
          "-",
          clock_text(watch.seconds()),
          "mean absolute difference, numerical to backpropagation"};
}

/// The first of some files that is in the folder.
std::filesystem::path find_file(const std::filesystem::path& folder, const std::vector<std::string>& names) {
  for (auto& name : names)
    if (std::filesystem::exists(folder / name)) return folder / name;
  fail("{}: there is no {}", folder.empty() ? "." : folder.string(), fmt::join(names, " or "));
}
template <class M>
std::string right_with(M net, const std::filesystem::path& file, const Dataset& test) {
  load_book(net, load_pickle(file.string()), file.string());
  Loader batches(test, {.batch = 500, .shuffle = false});
  const Score score = evaluate(net, batches.epoch());
  return fmt::format("{:.0f} of {}", score.accuracy * double(score.samples), score.samples);
}

/// S14: inference with the parameters that come with the book, as pickles of NumPy arrays.
Row read_pickles(const Options& o) {
  expect(!o.pickles.empty(),
         "S14 needs --pickles FOLDER with the book's sample_weight.pkl (chapter 3) and "
         "deep_convnet_params.pkl (chapter 8)");
  const Split data = load_data("mnist", o.data);
  print("S14 mnist-pickles: the book's parameters\n");
  const Stopwatch watch;
  const auto mlp =
      right_with(MLP({784, 50, 100, 10}, {.activation = sigmoid}),
                 find_file(o.pickles, {"sample_weight.pkl", "mnist_mlp_784_50_100_10.pkl"}), data.test);
  const auto convnet =
      right_with(DeepConvNet(book_deep_convnet),
                 find_file(o.pickles, {"deep_convnet_params.pkl", "mnist_deep_convnet.pkl"}), data.test);
  return {"S14",
          "mnist: inference with the book's pickles, 784-50-100-10 and DeepConvNet",
          "9352 and 9935 of 10,000",
          mlp + " and " + convnet,
          "-",
          "-",
          clock_text(watch.seconds()),
          "the book, volume 1"};
}

void write_table(const std::vector<Row>& rows, const Options& o) {
  std::string text =
      "| id | experiment | reported test / train % | xgrad test / train % | seed | steps | time | "
      "|\n|---|---|---|---|---|---|---|---|\n";
  for (auto& r : rows)
    text += fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} |\n", r.id, r.title, r.reported, r.measured,
                        r.seed, r.steps, r.time, r.note);
  make_folder(o.out);
  replace_file(o.out / "table.md", [&](std::ostream& out) { out << text; });
  print("\n{}\nwritten to {}\n", text, (o.out / "table.md").string());
}

using Special = std::pair<const char*, Row (*)(const Options&)>;
constexpr Special specials[] = {{"S12", train_numerically}, {"S13", check_gradients}, {"S14", read_pickles}};

void run(Options o) {
  if (o.threads) threads::set(*o.threads);
  if (o.list) {
    for (auto& e : experiments()) print("{:8} {:26} {}: {}\n", e.id, e.name, e.data, e.title);
    print("{:8} {:26} {}\n{:8} {:26} {}\n", "S12", "mnist-numerical", "784-50-10 by numerical gradients",
          "S13", "mnist-gradient-check", "numerical gradients against backpropagation");
    print("{:8} {:26} {}\n", "S14", "mnist-pickles", "inference with the book's parameters (--pickles)");
    return;
  }
  auto is_special = [](const std::string& id) {
    return std::find_if(std::begin(specials), std::end(specials), [&](auto& s) { return id == s.first; });
  };
  if (o.ids.empty()) {
    for (auto& e : experiments())
      if (e.id != "S2" && e.job.empty()) o.ids.push_back(e.id);  // S2: CIFAR-100 is another download
    for (auto& s : specials)
      if (s.second != read_pickles || !o.pickles.empty()) o.ids.push_back(s.first);
  }
  for (auto& id : o.ids)
    if (const Experiment* e = find_experiment(id))
      expect(e->job.empty(), "{} is trained by ./run {}", id, e->job);
  for (auto& id : o.ids)
    expect(find_experiment(id) || is_special(id) != std::end(specials),
           "unknown experiment '{}'; --list shows them", id);
  std::vector<Row> rows;
  for (auto& id : o.ids) {
    const auto special = is_special(id);
    rows.push_back(special != std::end(specials) ? special->second(o) : train(*find_experiment(id), o));
  }
  write_table(rows, o);
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  CLI::App app(
      "Runs experiments of the posts (all by default) and writes a table, reported against measured.\n"
      "An interrupted experiment resumes where it stopped when run again.");
  app.option_defaults()->always_capture_default();
  app.add_option("ids", o.ids, "experiments by id or name (default: all but S2 and S4)");
  app.add_flag("--list", o.list, "list the experiments");
  app.add_option("--seed", o.seed, "fixes the first weights, the batches and the dropout");
  app.add_option("--epochs", o.epochs, "train for fewer or more epochs")->check(CLI::PositiveNumber);
  app.add_option("--numerical-steps", o.numerical_steps, "steps of S12, of some ten seconds each")
      ->check(CLI::PositiveNumber);
  app.add_option("--data", o.data,
                 "folder that holds the data sets (default: $XGRAD_DATA, the cache, a download)");
  app.add_option("--pickles", o.pickles, "folder with the book's pickled parameters, for S14");
  app.add_option("--out", o.out, "folder for the runs and table.md");
  app.add_option("--threads", o.threads, "threads to use (default: $XGRAD_THREADS or all cores)")
      ->check(CLI::PositiveNumber);
  return program(app, argc, argv, [&] {
    run(o);
    return 0;
  });
}
