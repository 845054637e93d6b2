// Parameters in safetensors files: round trips, and every way a file can be wrong.
#include <xgrad/nn/formats/checkpoint.hpp>

#include <fmt/format.h>

#include <fstream>
#include <map>
#include <memory>

#include <xgrad/core/base/files.hpp>
#include <xgrad/nn/layers.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"

using namespace xgrad;
using tests::error_of;
using tests::read_file;
using tests::TemporaryFolder;
using tests::write_file;

namespace {

struct Net {
  Linear fc{3, 2};
  BatchNorm norm{2};
};

std::string with_header(const std::string& json, const std::string& data = "") {
  const std::uint64_t length = json.size();
  return std::string(reinterpret_cast<const char*>(&length), 8) + json + data;
}

}  // namespace

TEST_CASE("a model is saved and loaded by name") {
  TemporaryFolder folder;
  Net net, other;
  net.norm.running_mean.value = full({2}, 7);
  save(net, folder / "net.safetensors");
  load(other, folder / "net.safetensors");
  CHECK(std::ranges::equal(other.fc.weight.data().elements<float>(), net.fc.weight.data().elements<float>()));
  CHECK(other.norm.running_mean.value.data<float>()[1] == 7);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) ==
        1);  // nothing else is left behind
}

TEST_CASE("all dtypes and empty arrays survive, with texts beside them") {
  TemporaryFolder folder;
  Tensors tensors{{{"d", zeros({0, 2})}, {"e", full({}, .1)}}, {{"seed", "1"}}};
  for (DType dtype : all_dtypes)
    tensors.arrays.push_back({name(dtype), array<float>({0, 1, 1, 0, 1}).cast(dtype)});
  save_tensors(folder / "t", tensors);
  const Tensors back = load_tensors(folder / "t");
  CHECK(back.metadata.at("seed") == "1");
  REQUIRE(back.arrays.size() == tensors.arrays.size());
  for (std::size_t i = 0; i < back.arrays.size(); ++i) {
    CHECK(back.arrays[i].name == tensors.arrays[i].name);
    CHECK(tests::same_bits(back.arrays[i].value, tensors.arrays[i].value));
  }
  const std::string file = read_file(folder / "t");
  CHECK((8 + *reinterpret_cast<const std::uint64_t*>(file.data())) % 8 == 0);
}

TEST_CASE("weights stored in 16 bits are read into a model of f32, other types are refused") {
  TemporaryFolder folder;
  struct Small {
    Linear fc{2, 2};
  } net;
  auto stored_in = [&](DType dtype) {
    const std::string path = folder / name(dtype);
    save_tensors(path, {{{"fc.weight", array<float>({1, -2, .5f, 3}).cast(dtype).reshape({2, 2})},
                         {"fc.bias", array<float>({0, 4}).cast(dtype)}},
                        {}});
    return path;
  };
  for (DType dtype : {DType::bf16, DType::f16, DType::f32}) {
    load(net, stored_in(dtype));
    CHECK(net.fc.weight.dtype() == DType::f32);
    CHECK(tests::values(net.fc.weight) == std::vector<double>{1, -2, .5, 3});
  }
  for (DType dtype : {DType::f64, DType::i32, DType::boolean}) {
    const std::string path = stored_in(dtype);
    CHECK(error_of([&] { load(net, path); }) ==
          fmt::format("{0}: does not fit the model: fc.weight is (2, 2) of {1}, the model's (2, 2) of f32, "
                      "fc.bias is (2,) of {1}, the model's (2,) of f32",
                      path, dtype));
  }
}

TEST_CASE("a file with arrays of BOOL and I32 beside F32, as PyTorch writes masks and positions, is read") {
  TemporaryFolder folder;
  const std::string path = folder / "mixed.safetensors";
  const std::string header = R"({"mask":{"dtype":"BOOL","shape":[3],"data_offsets":[0,3]},)"
                             R"("positions":{"dtype":"I32","shape":[2],"data_offsets":[3,11]},)"
                             R"("weight":{"dtype":"F32","shape":[1],"data_offsets":[11,15]}})";
  const auto bytes_of = [](auto value) {
    return std::string(reinterpret_cast<const char*>(&value), sizeof value);
  };
  tests::write_file(path, bytes_of(std::uint64_t(header.size())) + header + std::string("\1\0\1", 3) +
                              bytes_of(7) + bytes_of(-7) + bytes_of(1.5f));
  const auto read = load_tensors(path);
  CHECK(read.at("mask").to_vector<bool>() == std::vector<bool>{true, false, true});
  CHECK(read.at("positions").to_vector<std::int32_t>() == std::vector<std::int32_t>{7, -7});
  CHECK(read.at("weight").item(0) == 1.5);
}

TEST_CASE("a file of another model is refused and changes nothing", "[names]") {
  TemporaryFolder folder;
  Net net;
  const std::string path = folder / "other";
  struct Wide {
    Linear fc{4, 2};
    BatchNorm norm{2};
  } wide;
  save(wide, path);
  CHECK(error_of([&] { load(net, path); }) ==
        path + ": does not fit the model: fc.weight is (2, 4) of f32, the model's (2, 3) of f32");
  struct Narrow {
    Linear fc{3, 2};
  } narrow;
  save(narrow, path);
  const std::string help = "; .rename gives arrays other names, and .strict = false loads those that fit";
  CHECK(error_of([&] { load(net, path); }) ==
        path +
            ": does not fit the model: it lacks norm.weight, norm.bias, norm.running_mean, norm.running_var" +
            help);
  save(net, path);
  const Array before = narrow.fc.weight.data();
  CHECK(error_of([&] { load(narrow, path); }) ==
        path +
            ": does not fit the model: the model has no norm.weight, norm.bias, norm.running_mean, "
            "norm.running_var" +
            help);
  CHECK(std::ranges::equal(before.elements<float>(), narrow.fc.weight.data().elements<float>()));
}

TEST_CASE("arrays are loaded under other names, by a map or a function", "[names]") {
  TemporaryFolder folder;
  const std::string path = folder / "renamed";
  Net net, other;
  std::vector<NamedArray> arrays = state(net);
  for (auto& a : arrays) a.name = a.name == "fc.bias" ? "bias" : "module." + a.name;
  arrays.push_back({"optimizer", ones({1})});
  save_tensors(path, {arrays, {}});
  auto rename = [](const std::string& name) {
    return name == "bias" ? "fc.bias" : name == "optimizer" ? "" : name.substr(7);
  };
  const LoadReport report = load(other, path, {.rename = rename});
  CHECK(report.missing.empty());
  CHECK(report.unexpected.empty());
  CHECK(tests::values(other.fc.bias) == tests::values(net.fc.bias));
  struct Narrow {
    Linear fc{3, 2};
  } narrow;
  CHECK(load(narrow, path,
             {.rename = {{"module.fc.weight", "fc.weight"}, {"bias", "fc.bias"}}, .strict = false})
            .missing.empty());
  CHECK(tests::values(narrow.fc.weight) == tests::values(net.fc.weight));
  CHECK(error_of([&] {
          load(narrow, path, {.rename = {{"bias", "a"}, {"optimizer", "a"}}});
        }) == path + ": bias and optimizer would both become a");
}

TEST_CASE("what is missing, left over and of another shape is named in one message", "[names]") {
  TemporaryFolder folder;
  const std::string path = folder / "other";
  struct Other {
    Linear fc{4, 2, {.bias = false}}, head{2, 2};
    BatchNorm norm{2};
  } other;
  save(other, path);
  Net net;
  const auto before = tests::values(net.fc.bias);
  CHECK(
      error_of([&] { load(net, path); }) ==
      path +
          ": does not fit the model: it lacks fc.bias; the model has no head.weight, head.bias; fc.weight is "
          "(2, 4) of f32, the model's (2, 3) of f32; .rename gives arrays other names, and .strict = false "
          "loads those that fit");
  CHECK(error_of([&] { load(net, path, {.strict = false}); }) ==
        path + ": does not fit the model: fc.weight is (2, 4) of f32, the model's (2, 3) of f32");
  const LoadReport report = load(net, path, {.rename = {{"fc.weight", ""}}, .strict = false});
  CHECK(report.missing == std::vector<std::string>{"fc.weight", "fc.bias"});
  CHECK(report.unexpected == std::vector<std::string>{"head.weight", "head.bias"});
  CHECK(tests::values(net.fc.bias) == before);
}

TEST_CASE("damaged files are refused by name") {
  TemporaryFolder folder;
  const std::string path = folder / "x.safetensors";
  CHECK(error_of([&] { load_tensors(path); }) == path + ": cannot be opened: No such file or directory");
  write_file(path, "");
  CHECK(error_of([&] { load_tensors(path); }) ==
        path + ": byte 0: the length of a safetensors header was expected, but the file ends here");
  write_file(path, "\x89PNG\r\n\x1a\n0000000000000");
  CHECK(error_of([&] { load_tensors(path); }) ==
        path +
            ": byte 0: this is not a safetensors file, or a truncated one: its header would have "
            "727905341920923785 bytes, and 13 follow");
}

TEST_CASE("a bit that flips anywhere in a saved file is noticed") {
  TemporaryFolder folder;
  const std::string path = folder / "x.safetensors";
  save_tensors(path, {{{"a", arange(3, DType::f32)}, {"b", full({}, 1)}}, {{"step", "10"}}});
  CHECK(load_tensors(path).metadata == std::map<std::string, std::string>{{"step", "10"}});
  const std::string good = read_file(path);
  const std::size_t key = good.find("xgrad_sha256");
  for (std::size_t i = 0; i < good.size(); ++i)
    for (int bit : {0, 3, 6}) {
      std::string bad = good;
      bad[i] ^= char(1 << bit);
      write_file(path, bad);
      INFO(i << " " << bit);
      const std::string error = error_of([&] { load_tensors(path); });
      if (key <= i && i < key + 12)  // the name under which the checksum stands: all else is as it was
        CHECK((error.empty() || error.starts_with(path + ": ")));
      else
        CHECK(error.starts_with(path + ": "));
    }
  std::string bad = good;
  bad.back() ^= 1;
  write_file(path, bad);
  CHECK(error_of([&] { load_tensors(path); }).find("is damaged: its SHA-256") != std::string::npos);
  // Saved again, it is a file like any other.
  write_file(path, good);
  save_tensors(path, load_tensors(path));
  CHECK(read_file(path) == good);
}

TEST_CASE("a file that cannot be written leaves the old one") {
  TemporaryFolder folder;
  Net net;
  const std::string nowhere = folder / "missing/net";
  CHECK(error_of([&] { save(net, nowhere); }) == nowhere + ": cannot be written: No such file or directory");
  const std::string path = folder / "kept";
  write_file(path, "old");
  CHECK_THROWS(replace_file(path, [](std::ostream& out) {
    out << "half";
    throw std::runtime_error("stopped");
  }));
  CHECK(read_file(path) == "old");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 1);
  CHECK(error_of([&] { make_folder(path); }).starts_with(path + ": this folder cannot be created"));
}

TEST_CASE("a shared layer is saved once, under its first name, and loading keeps it shared", "[names]") {
  struct Tied {
    std::shared_ptr<Linear> in = std::make_shared<Linear>(2, 2), out = in;
  };
  TemporaryFolder folder;
  Tied net, other;
  save(net, folder / "tied");
  const Tensors saved = load_tensors(folder / "tied");
  REQUIRE(saved.arrays.size() == 2);
  CHECK(saved.arrays[0].name == "in.weight");
  load(other, folder / "tied");
  CHECK(other.in == other.out);
  CHECK(std::ranges::equal(other.out->weight.data().elements<float>(),
                           net.in->weight.data().elements<float>()));
  struct Untied {
    Linear in{2, 2}, out{2, 2};
  } untied;
  CHECK(error_of([&] { load(untied, folder / "tied"); }) ==
        (folder / "tied").string() +
            ": does not fit the model: it lacks out.weight, out.bias; .rename gives arrays other names, and "
            ".strict = false loads those that fit");
  save(untied, folder / "untied");
  CHECK(error_of([&] { load(other, folder / "untied"); }) ==
        (folder / "untied").string() +
            ": does not fit the model: the model has no out.weight, out.bias; .rename gives arrays other "
            "names, and .strict = false loads those that fit");
}

TEST_CASE("a model with an undefined buffer is saved and loaded without it") {
  struct Net {
    Linear fc{2, 2};
    Buffer buffer{};
  } net, other;
  TemporaryFolder folder;
  save(net, folder / "net");
  load(other, folder / "net");
  CHECK(std::ranges::equal(other.fc.weight.data().elements<float>(), net.fc.weight.data().elements<float>()));
}

TEST_CASE("an array behind 4 GiB of a file is read", "[large]") {
  TemporaryFolder folder;
  const std::string path = folder / "sparse";
  const std::uint64_t start = (4ull << 30) + 8;
  const std::string header = fmt::format(
      R"({{"z":{{"dtype":"U8","shape":[{}],"data_offsets":[0,{}]}},"a":{{"dtype":"F32","shape":[2],"data_offsets":[{},{}]}}}})",
      start, start, start, start + 8);
  write_file(path, with_header(header));
  std::filesystem::resize_file(path, 8 + header.size() + start);  // a hole, which takes no room on the disk
  const float values[] = {1, 2};
  std::ofstream(path, std::ios::binary | std::ios::app).write(reinterpret_cast<const char*>(values), 8);
  CHECK(load_tensors(path).at("a").data<float>()[1] == 2);
}
