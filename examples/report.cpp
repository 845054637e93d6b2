// Makes one HTML page of a run: curves, mistakes, confusion matrix, network.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <locale>
#include <optional>

#include <xgrad/core/base/files.hpp>
#include <xgrad/core/base/reader.hpp>
#include <xgrad/datasets/image.hpp>
#include <xgrad/datasets/loader.hpp>
#include <xgrad/nn/run/progress.hpp>
#include <xgrad/nn/run/run_folder.hpp>
#include <xgrad/nn/summary.hpp>
#include <xgrad/xgrad.hpp>
#include "examples/common/experiments.hpp"
#include "examples/common/program.hpp"

using namespace xgrad;

namespace {

/// Numbers as 5,350,986.
struct Thousands : std::numpunct<char> {
  char do_thousands_sep() const override { return ','; }
  std::string do_grouping() const override { return "\3"; }
};
const std::locale thousands(std::locale::classic(), new Thousands);

/// Text for HTML, also between quotes of either kind.
std::string escape(const std::string& text) {
  std::string result;
  for (char c : text)
    result += c == '<'    ? "&lt;"
              : c == '>'  ? "&gt;"
              : c == '&'  ? "&amp;"
              : c == '"'  ? "&quot;"
              : c == '\'' ? "&#39;"
                          : std::string(1, c);
  return result;
}

std::string base64(const std::string& bytes) {
  constexpr const char* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (i + k < bytes.size() ? std::uint8_t(bytes[i + k]) : 0u);
    for (int k = 0; k < 4; ++k)
      text += i + std::size_t(k) > bytes.size() ? '=' : digits[group >> (18 - 6 * k) & 63];
  }
  return text;
}

/// A picture within the page. Browsers run no script in it and load nothing for it, whatever it holds.
std::string image(const std::string& description, const std::string& type, const std::string& bytes) {
  return fmt::format("<img alt=\"{}\" src=\"data:image/{};base64,{}\">", escape(description), type,
                     base64(bytes));
}

/// What the network says of each test image.
struct Verdicts {
  std::vector<std::vector<long>> confusion;  ///< [label][guess]
  struct Mistake {
    long image, label, guess;
    double probability;  ///< that the network gives its wrong guess
  };
  std::vector<Mistake> mistakes;  ///< the surest first
  long right = 0;
};

Verdicts judge(const AnyModel& model, const Dataset& data, const Pixels& pixels) {
  NoGrad off;
  EvalMode eval;
  const std::size_t classes = data.classes.size();
  Verdicts v{std::vector(classes, std::vector<long>(classes)), {}, 0};
  Loader loader(data, {.batch = 500, .shuffle = false, .pixels = pixels});
  long image = 0;
  for (const Batch& batch : loader.epoch()) {
    const Variable p = softmax(model(Variable(batch.images)));
    const auto guesses = argmax(p, 1).cast(DType::i64), sure = max(p, {1}).data();
    for (long i = 0; i < batch.labels.size(); ++i, ++image) {
      const long label = batch.labels.data<std::int64_t>()[i], guess = guesses.data<std::int64_t>()[i];
      ++v.confusion[std::size_t(label)][std::size_t(guess)];
      if (label == guess)
        ++v.right;
      else
        v.mistakes.push_back({image, label, guess, sure.data<float>()[i]});
    }
  }
  std::stable_sort(v.mistakes.begin(), v.mistakes.end(),
                   [](auto& a, auto& b) { return a.probability > b.probability; });
  return v;
}

Array picture(const Dataset& data, long i) {
  const Shape& s = data.images.shape();
  return data.slice(i, i + 1).images.reshape({s[1], s[2], s[3]});
}

std::string confusion_table(const Verdicts& v, const Dataset& data) {
  std::string html = "<table class=confusion><tr><th>label \\ prediction</th>";
  for (auto& name : data.classes) html += fmt::format("<th class=up><span>{}</span></th>", escape(name));
  html += "</tr>\n";
  for (std::size_t i = 0; i < v.confusion.size(); ++i) {
    long total = 0;
    for (long n : v.confusion[i]) total += n;
    html += fmt::format("<tr><th>{}</th>", escape(data.classes[i]));
    for (std::size_t j = 0; j < v.confusion.size(); ++j) {
      const double share = total ? double(v.confusion[i][j]) / double(total) : 0;
      html +=
          fmt::format("<td style=\"background:rgba({},{:.2f})\">{}</td>", i == j ? "40,140,80" : "210,60,40",
                      i == j ? .15 + .55 * share : std::min(.9, 4 * share), v.confusion[i][j]);
    }
    html += "</tr>\n";
  }
  return html + "</table>\n";
}

/// Boxes as high as the picture and as wide as there are channels.
std::string network_picture(const Summary& s) {
  auto box = [](const std::string& name, const Shape& shape, const std::string& operations) {
    const bool map = shape.rank() == 4;
    const double high = map ? double(shape[2]) * 2.5 + 6 : 10;
    const double wide = 6 + 6 * std::log2(1. + double(shape[1]));
    const std::string size =
        map ? fmt::format("{}×{}×{}", shape[1], shape[2], shape[3]) : fmt::format("{}", shape[1]);
    return fmt::format(
        "<figure title=\"{}\"><div class=map "
        "style=\"height:{:.0f}px;width:{:.0f}px\"></div><b>{}</b><span>{}</span>"
        "</figure>\n",
        escape(operations), high, wide, escape(name), size);
  };
  std::string html = "<div class=network>" + box("input", s.input, "");
  for (auto& l : s.layers) html += box(l.name, l.shape, l.operations);
  return html + "</div>\n";
}

std::string summary_table(const Summary& s) {
  std::string html =
      "<table><tr><th>layer</th><th>operations</th><th>output</th>"
      "<th>parameters</th><th>multiply-adds</th></tr>\n";
  for (auto& l : s.layers)
    html += fmt::format(
        thousands, "<tr><td>{}</td><td>{}</td><td>{}</td><td class=n>{:L}</td><td class=n>{:L}</td></tr>\n",
        escape(l.name), escape(l.operations), l.shape.str(), l.parameters, long(l.multiply_adds));
  return html +
         fmt::format(
             thousands,
             "<tr><th>total</th><td></td><td></td><td class=n>{:L}</td><td class=n>{:L}</td></tr></table>\n",
             s.parameters, long(s.multiply_adds));
}

constexpr const char* style = R"(
:root{color-scheme:light}body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:1080px;padding:16px;color:#222;background:#fff}
h1{font-size:1.5em;margin:.3em 0}h2{font-size:1.15em;margin:1.6em 0 .5em;border-bottom:1px solid #ddd}
.facts{display:flex;flex-wrap:wrap;gap:12px}.facts div{background:#f3f5f8;border-radius:8px;padding:10px 16px}
.facts b{display:block;font-size:1.5em}.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.9em}
td,th{padding:3px 8px;text-align:left;border-bottom:1px solid #eee}td.n{text-align:right;font-variant-numeric:tabular-nums}
.confusion td{text-align:center;min-width:2.2em;padding:3px}.confusion th{white-space:nowrap}
.confusion .up{vertical-align:bottom;padding:4px 2px}.confusion .up span{writing-mode:vertical-rl;transform:rotate(180deg)}
.mistakes{display:grid;grid-template-columns:repeat(auto-fill,minmax(104px,1fr));gap:10px}
.mistakes figure,.network figure{margin:0;font-size:.8em;text-align:center;line-height:1.25}
.mistakes img{width:96px;height:96px;image-rendering:pixelated;display:block;margin:0 auto 4px;border-radius:4px}
.network{display:flex;flex-wrap:wrap;align-items:flex-end;gap:10px}.network figure{display:flex;flex-direction:column;align-items:center}
.network .map{background:linear-gradient(135deg,#9ec5f8,#4a86d8);border-radius:3px}.curves{max-width:760px}.curves img{width:100%;height:auto}
)";

/// The last value of a key; nothing when no line has it.
std::optional<double> last(const std::vector<MetricsLine>& metrics, const std::string& key) {
  std::optional<double> value;
  for (auto& line : metrics)
    for (auto& [name, number] : line.numbers)
      if (name == key) value = number;
  return value;
}

/// The curves of a run, drawn afresh; where that fails, why, and those that were drawn before.
std::string curves(const std::filesystem::path& folder) {
  const auto picture = folder / "curves.svg";
  const Drawing drawing = plot_curves(folder / "metrics.jsonl", picture);
  const bool there = std::filesystem::exists(picture);
  std::string html;
  if (!drawing)
    html = fmt::format("<p>{}: {}.</p>\n", there ? "Curves from before; new ones are not drawn" : "No curves",
                       escape(drawing.failure));
  if (!there) return html;
  Reader in(picture);
  return html + image("curves of accuracy and loss", "svg+xml", in.text(in.size(), "a picture"));
}

void report(const std::filesystem::path& folder, const std::filesystem::path& data_folder) {
  const Settings settings = load_settings(folder);
  auto setting = [&](const std::string& key) {
    for (auto& [name, value] : settings)
      if (name == key) return value;
    fail("{}: its settings do not say which {} it is", folder.string(), key);
  };
  const Experiment* e = find_experiment(setting("experiment"));
  expect(e, "{}: unknown experiment '{}'", folder.string(), setting("experiment"));
  AnyModel model = e->model();
  load(model, (folder / "parameters.safetensors").string());
  const Dataset test = load_data(setting("data"), data_folder).test;
  const Verdicts verdicts = judge(model, test, e->pixels);
  const Shape& s = test.images.shape();
  const Summary network = summary(model, {1, s[1], s[2], s[3]});
  const auto metrics = read_metrics(folder / "metrics.jsonl");
  const double accuracy = double(verdicts.right) / double(test.size());
  auto fact = [](const std::string& value, const std::string& what) {
    return fmt::format("<div><b>{}</b>{}</div>\n", escape(value), escape(what));
  };

  std::string html = fmt::format(
      "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport "
      "content=\"width=device-width,initial-scale=1\">"
      "<title>{0}: {1:.2f} %</title><style>{2}</style>\n<h1>{0}</h1>\n<p>{3}</p>\n<div class=facts>",
      escape(e->id + " " + e->name), 100 * accuracy, style, escape(e->title));
  html +=
      fact(fmt::format("{:.2f} %", 100 * accuracy), fmt::format("of {} test images correct", test.size()));
  if (e->reported_test && setting("data") == e->data)
    html += fact(fmt::format("{:.2f} %", 100 * *e->reported_test), "reported by " + e->reported_by);
  if (auto seconds = last(metrics, "training_seconds")) html += fact(clock_text(*seconds), "of training");
  if (auto peak = last(metrics, "peak_mb"))
    html += fact(fmt::format("{:.0f} MB", *peak), "of arrays at the peak");
  html += fact(fmt::format(thousands, "{:L}", network.parameters), "parameters");
  html += "</div>\n<h2>Curves</h2>\n<div class=curves>" + curves(folder) + "</div>\n";
  html += "<h2>The network and the size of each layer's output</h2>\n" + network_picture(network);
  html += "<div class=scroll>" + summary_table(network) + "</div>\n";
  html += "<h2>Confusion matrix</h2>\n<div class=scroll>" + confusion_table(verdicts, test) + "</div>\n";
  const auto shown = std::min<std::size_t>(24, verdicts.mistakes.size());
  html += fmt::format("<h2>The {} most confident of {} mistakes</h2>\n<div class=mistakes>", shown,
                      verdicts.mistakes.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& m = verdicts.mistakes[i];
    html +=
        fmt::format("<figure>{}{}, taken for <b>{}</b> ({:.0f} %)</figure>\n",
                    image(fmt::format("test image {}", m.image), "png", png_bytes(picture(test, m.image))),
                    escape(test.classes[std::size_t(m.label)]), escape(test.classes[std::size_t(m.guess)]),
                    100 * m.probability);
  }
  html += "</div>\n<h2>Settings</h2>\n<table>";
  for (auto& [key, value] : settings)
    html += fmt::format("<tr><th>{}</th><td>{}</td></tr>\n", escape(key), escape(value));
  html += "</table>\n</html>\n";
  const auto file = folder / "report.html";
  replace_file(file, [&](std::ostream& out) { out << html; });
  print("{}: {} of {} correct; open it in a browser\n", file.string(), verdicts.right, test.size());
}

}  // namespace

int main(int argc, char** argv) {
  std::filesystem::path folder, data;
  CLI::App app("Writes report.html, one page without any other file, into the folder of a run.");
  app.add_option("folder", folder, "the folder of the run (what --out was)")->required();
  app.add_option("--data", data,
                 "folder that holds the data sets (default: $XGRAD_DATA, the cache, a download)");
  return program(app, argc, argv, [&] {
    report(folder, data);
    return 0;
  });
}
