// Parameters in safetensors files: round trips, and every way a file can be wrong.
#include "nn/checkpoint.hpp"

#include <fmt/format.h>

#include <fstream>
#include <memory>
#include <sstream>

#include "core/files.hpp"
#include "nn/layers.hpp"
#include "tests/catch.hpp"

using namespace xgrad;
using tests::error_of;
using tests::TemporaryFolder;

namespace {

struct Net {
  Linear fc{3, 2};
  BatchNorm norm{2};
};

std::string read(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void write(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}
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
  const Tensors tensors{{{"a", full({2, 3}, 1.5, DType::f64)},
                         {"b", arange(4)},
                         {"c", full({3}, 200, DType::u8)},
                         {"d", zeros({0, 2})},
                         {"e", full({}, .1)}},
                        {{"seed", "1"}}};
  save_tensors(folder / "t", tensors);
  const Tensors back = load_tensors(folder / "t");
  CHECK(back.metadata.at("seed") == "1");
  REQUIRE(back.arrays.size() == 5);
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(back.arrays[i].name == tensors.arrays[i].name);
    CHECK(back.arrays[i].value.shape() == tensors.arrays[i].value.shape());
    CHECK(back.arrays[i].value.dtype() == tensors.arrays[i].value.dtype());
    CHECK(std::string(back.arrays[i].value.bytes(), std::size_t(back.arrays[i].value.byte_size())) ==
          std::string(tensors.arrays[i].value.bytes(), std::size_t(tensors.arrays[i].value.byte_size())));
  }
  const std::string file = read(folder / "t");
  CHECK((8 + *reinterpret_cast<const std::uint64_t*>(file.data())) % 8 == 0);
}

TEST_CASE("a file of another model is refused and changes nothing") {
  TemporaryFolder folder;
  Net net;
  const std::string path = folder / "other";
  struct Wide {
    Linear fc{4, 2};
    BatchNorm norm{2};
  } wide;
  save(wide, path);
  CHECK(error_of([&] { load(net, path); }) ==
        path + ": fc.weight is (2, 4) of f32, the model's (2, 3) of f32");
  struct Narrow {
    Linear fc{3, 2};
  } narrow;
  save(narrow, path);
  CHECK(error_of([&] { load(net, path); }) == path + ": has no norm.weight, which the model needs");
  save(net, path);
  const Array before = narrow.fc.weight.data();
  CHECK(error_of([&] { load(narrow, path); }) ==
        path + ": holds 6 arrays, the model 2; it belongs to another model");
  CHECK(std::ranges::equal(before.elements<float>(), narrow.fc.weight.data().elements<float>()));
}

TEST_CASE("damaged files are refused by name") {
  TemporaryFolder folder;
  const std::string path = folder / "x.safetensors";
  CHECK(error_of([&] { load_tensors(path); }) == path + ": cannot be opened");
  write(path, "");
  CHECK(error_of([&] { load_tensors(path); }) ==
        path + ": this is no safetensors file, or a truncated one: 0 bytes");
  write(path, "\x89PNG\r\n\x1a\n0000000000000");
  CHECK(error_of([&] { load_tensors(path); }) ==
        path + ": this is no safetensors file, or a truncated one: 21 bytes");
  write(path, with_header("{\"a\": "));
  CHECK(error_of([&] {
          load_tensors(path);
        }).starts_with(path + ": the header of this safetensors file is damaged: "));
  write(path, with_header("{\"a\": 3}"));
  CHECK(error_of([&] {
          load_tensors(path);
        }).starts_with(path + ": the header of this safetensors file is damaged: "));
  write(path, with_header(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", "1234"));
  CHECK(error_of([&] { load_tensors(path); }) ==
        path + ": array a does not lie within the 4 bytes of data; the file is truncated or damaged");
  write(path, with_header(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", "12345678"));
  CHECK(error_of([&] { load_tensors(path); }) == path + ": array a of shape (3,) has 8 bytes at offset 62");
  write(path, with_header(R"({"a":{"dtype":"F16","shape":[4],"data_offsets":[0,8]}})", "12345678"));
  CHECK(error_of([&] { load_tensors(path); }) ==
        path + ": array a has dtype F16; F32, F64, I64 and U8 can be read");
  write(path, with_header(R"({"a":{"dtype":"F32","shape":[-2,-1],"data_offsets":[0,8]}})", "12345678"));
  CHECK(error_of([&] { load_tensors(path); }) ==
        path + ": array a: shape is [-2,-1], not a list of integers from 0 on");
  write(path, with_header(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})"));
  CHECK(error_of([&] { load_tensors(path); }) ==
        path + ": array a: an array of shape (4294967296, 4294967296) would be too large");
}

TEST_CASE("what the reference implementation of safetensors refuses is refused") {
  TemporaryFolder folder;
  const std::string path = folder / "x.safetensors";
  auto refusal = [&](const std::string& header, const std::string& data) {
    write(path, with_header(header, data));
    const std::string error = error_of([&] { load_tensors(path); });
    return error.starts_with(path + ": ") ? error.substr(path.size() + 2) : error;
  };
  const std::string a = R"("a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]})", data = "1234";
  auto b = [](const char* offsets) {
    return fmt::format(R"("b":{{"dtype":"U8","shape":[2],"data_offsets":{}}})", offsets);
  };
  CHECK(refusal("{" + a + "," + b("[2,4]") + "}", data).empty());
  CHECK(refusal("{" + b("[2,4]") + "," + a + "}", data).empty());
  CHECK(refusal("{" + a + "," + b("[1,3]") + "}", "123") ==
        "the arrays overlap at byte 1 of the data, where 2 was expected");
  CHECK(refusal("{" + a + "," + b("[3,5]") + "}", "12345") ==
        "the arrays leave a gap at byte 3 of the data, where 2 was expected");
  CHECK(refusal("{" + a + "}", data) == "the arrays fill 2 bytes of data, and the file has 4");
  CHECK(refusal("{" + a + "," + a + "}", "12") == "the header of this safetensors file has \"a\" twice");
  CHECK(refusal(R"({"a":{"dtype":"U8","dtype":"U8","shape":[2],"data_offsets":[0,2]}})", "12") ==
        "the header of this safetensors file has \"dtype\" twice");
  CHECK(refusal(R"({"a":{"dtype":"U8","shape":[2.7],"data_offsets":[0,2]}})", "12") ==
        "array a: shape is [2.7], not a list of integers from 0 on");
  CHECK(refusal(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2.5]}})", "12") ==
        "array a: data_offsets is [0,2.5], not a list of integers from 0 on");
  CHECK(refusal(R"({"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}})", "") ==
        "array a: an array of shape (4611686018427387904,) would be too large");
  CHECK(refusal("null", "") == "the header of this safetensors file begins with byte 110, not with '{'");
  CHECK(refusal(" {}", "") == "the header of this safetensors file begins with byte 32, not with '{'");
  CHECK(refusal("", "") == "the header of this safetensors file begins with byte 0, not with '{'");
  const std::string deep(200'000, '[');
  CHECK(refusal(R"({"a":)" + deep + "}", "") == "the header of this safetensors file is nested too deeply");
}

TEST_CASE("a file that cannot be written leaves the old one") {
  TemporaryFolder folder;
  Net net;
  const std::string nowhere = folder / "missing/net";
  CHECK(error_of([&] { save(net, nowhere); }) == nowhere + ": cannot be written: No such file or directory");
  const std::string path = folder / "kept";
  write(path, "old");
  CHECK_THROWS(replace_file(path, [](std::ostream& out) {
    out << "half";
    throw std::runtime_error("stopped");
  }));
  CHECK(read(path) == "old");
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 1);
  CHECK(error_of([&] { make_folder(path); }).starts_with(path + ": this folder cannot be made"));
}

TEST_CASE("a shared layer is saved once, under its first name, and loading keeps it shared") {
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
        (folder / "tied").string() + ": has no out.weight, which the model needs");
  save(untied, folder / "untied");
  CHECK(error_of([&] { load(other, folder / "untied"); }) ==
        (folder / "untied").string() + ": holds 4 arrays, the model 2; it belongs to another model");
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

TEST_CASE("an array behind 4 GiB of a file is read") {
  TemporaryFolder folder;
  const std::string path = folder / "sparse";
  const std::uint64_t start = (4ull << 30) + 8;
  const std::string header = fmt::format(
      R"({{"z":{{"dtype":"U8","shape":[{}],"data_offsets":[0,{}]}},"a":{{"dtype":"F32","shape":[2],"data_offsets":[{},{}]}}}})",
      start, start, start, start + 8);
  write(path, with_header(header));
  std::filesystem::resize_file(path, 8 + header.size() + start);  // a hole, which takes no room on the disk
  const float values[] = {1, 2};
  std::ofstream(path, std::ios::binary | std::ios::app).write(reinterpret_cast<const char*>(values), 8);
  CHECK(load_tensors(path).at("a").data<float>()[1] == 2);
}
