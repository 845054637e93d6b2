// Hostile safetensors files and checkpoints.
#include <fmt/format.h>

#include <cstdint>

#include "tests/hostile/files.hpp"

namespace xgrad::tests {
namespace {

std::string with_header(const std::string& json, const std::string& data = "") {
  return little(json.size(), 8) + json + data;
}
std::string entry(const char* name, const char* type, const char* shape, const char* offsets) {
  return fmt::format(R"("{}":{{"dtype":"{}","shape":{},"data_offsets":{}}})", name, type, shape, offsets);
}
/// An entry whose shape or offsets are wrong, beside eight bytes of data.
std::string one(const char* type, const char* shape, const char* offsets) {
  return with_header("{" + entry("a", type, shape, offsets) + "}", "12345678");
}

/// A training state, all of it right but for what is replaced.
std::string checkpoint(const std::string& key = "", const std::string& value = "") {
  std::string metadata = R"("format":"xgrad training 1")";
  for (const char* name :
       {"generator_seed", "generator_position", "generator_stream", "loader_seed", "loader_epoch",
        "loader_position", "step", "loss", "correct", "samples", "seconds"})
    if (name != key)
      metadata += fmt::format(R"(,"{}":"1")", name);
    else if (!value.empty())
      metadata += fmt::format(R"(,"{}":"{}")", name, value);
  return with_header(R"({"__metadata__":{)" + metadata + "}," + entry("model.w", "U8", "[2]", "[0,2]") + "}",
                     "12");
}

}  // namespace

std::vector<HostileFile> hostile_safetensors() {
  const std::string a = entry("a", "U8", "[2]", "[0,2]"), b = entry("b", "U8", "[2]", "[2,4]");
  std::string many;  // 3,000 arrays over one MiB
  for (int i = 0; i < 3000; ++i)
    many += (i ? "," : "") + entry(fmt::format("{}", i).c_str(), "U8", "[1048576]", "[0,1048576]");
  return {
      {"two arrays", with_header("{" + a + "," + b + "}", "1234"), ""},
      {"in another order", with_header("{" + b + "," + a + "}", "1234"), ""},
      {"no array", with_header("{}"), ""},
      {"padded", with_header("{}      "), ""},
      {"an unknown field", with_header(R"({"a":{"dtype":"U8","shape":[],"data_offsets":[0,1],"x":[]}})", "1"),
       ""},
      {"nothing", "", "byte 0: the length"},
      {"seven bytes", "1234567", "byte 0: the length"},
      {"a header longer than the file", little(100, 8) + "{}", "byte 0: this is not a safetensors file"},
      {"the longest header", little(~0ull, 8) + "{}", "byte 0: this is not a safetensors file"},
      {"no header", with_header(""), "header: byte 0: the header of a safetensors file begins with '{'"},
      {"null", with_header("null"), "header: byte 0: the header of a safetensors file begins with '{'"},
      {"a list", with_header("[]"), "header: byte 0: the header of a safetensors file begins with '{'"},
      {"leading blank", with_header(" {}"),
       "header: byte 0: the header of a safetensors file begins with '{'"},
      {"an open object", with_header("{"), "not valid JSON"},
      {"two objects", with_header("{}{}"), "not valid JSON"},
      {"no UTF-8", with_header("{\"\xff\":1}"), "not valid JSON"},
      {"a number beyond doubles", with_header(R"({"a":1e999})"), "not valid JSON"},
      {"an entry that is a number", with_header(R"({"a":3})"), "array a has no dtype"},
      {"an entry that is null", with_header(R"({"a":null})"), "array a has no dtype"},
      {"no shape", with_header(R"({"a":{"dtype":"U8","data_offsets":[0,0]}})"), "array a has no shape"},
      {"no offsets", with_header(R"({"a":{"dtype":"U8","shape":[0]}})"), "array a has no data_offsets"},
      {"a name twice", with_header("{" + a + "," + a + "}", "12"), "the key \"a\" is given twice"},
      {"a field twice", with_header(R"({"a":{"dtype":"U8","dtype":"U8"}})"),
       "the key \"dtype\" is given twice"},
      {"metadata twice", with_header(R"({"__metadata__":{},"__metadata__":{}})"), "is given twice"},
      {"metadata that is a text", with_header(R"({"__metadata__":"x"})"), "__metadata__ is not an object"},
      {"metadata of numbers", with_header(R"({"__metadata__":{"x":1}})"),
       "__metadata__: x is 1, not a string"},
      {"a wrong checksum", with_header(R"({"__metadata__":{"xgrad_sha256":"00"}})"),
       "is damaged: its SHA-256"},
      {"an empty checksum", with_header(R"({"__metadata__":{"xgrad_sha256":""}})"),
       "is damaged: its SHA-256"},
      {"half a number in a shape", one("U8", "[2.7]", "[0,8]"), "shape is [2.7]"},
      {"a float in a shape", one("U8", "[8.0]", "[0,8]"), "shape is [8.0]"},
      {"a negative length", one("U8", "[-8]", "[0,8]"), "shape is [-8]"},
      {"a shape of texts", one("U8", "[\"8\"]", "[0,8]"), "shape is [\"8\"]"},
      {"a shape that is a number", one("U8", "8", "[0,8]"), "shape is 8"},
      {"a length beyond 64 bits", one("U8", "[36893488147419103240]", "[0,8]"),
       "not a list of non-negative integers"},
      {"nine axes", one("U8", "[1,1,1,1,1,1,1,1,8]", "[0,8]"), "has 9 axes"},
      {"fractional offsets", one("U8", "[8]", "[0,8.5]"), "data_offsets is [0,8.5]"},
      {"three offsets", one("U8", "[8]", "[0,8,8]"), "does not lie within"},
      {"offsets turned around", one("U8", "[8]", "[8,0]"), "does not lie within"},
      {"offsets beyond the data", one("U8", "[9]", "[0,9]"), "does not lie within the 8 bytes"},
      {"fewer bytes than the shape", one("F32", "[3]", "[0,8]"), "array a of shape (3,) has 8 bytes"},
      {"2^62 F32 in no bytes", one("F32", "[4611686018427387904]", "[0,0]"), "would be too large"},
      {"2^61 + 1 by 2", one("F64", "[2305843009213693953,2]", "[0,8]"), "would be too large"},
      {"2^32 by 2^32", one("U8", "[4294967296,4294967296]", "[0,0]"), "would be too large"},
      {"2^62 by 0", one("F32", "[4611686018427387904,0]", "[0,0]"), "would be too large"},
      {"a bool of 49", one("BOOL", "[8]", "[0,8]"), "byte 63: array a: 49 is not a bool, 0 or 1"},
      {"an unknown dtype", one("F8_E4M3", "[8]", "[0,8]"), "array a has dtype \"F8_E4M3\""},
      {"bytes that follow", one("U8", "[7]", "[0,7]"), "the arrays fill 7 bytes of data, and the file has 8"},
      {"a gap", one("U8", "[7]", "[1,8]"), "byte 61: array a leaves a gap"},
      {"overlapping", with_header("{" + a + "," + entry("b", "U8", "[2]", "[1,3]") + "}", "123"),
       "overlaps another"},
      {"3 GB in 1.3 MB", with_header("{" + many + "}", std::string(1 << 20, 'x')), "overlaps another"},
      {"100,000 open lists", with_header(R"({"a":)" + std::string(100'000, '[')), "nested too deeply"},
      {"open objects", with_header("{" + repeated(R"("a":{)", 100'000)), "nested too deeply"}};
}

std::vector<HostileFile> hostile_checkpoints() {
  const char *progress = "are not the progress of a training run",
             *place = "are not a position in a data set";
  return {{"a training state", checkpoint(), ""},
          {"no training state", with_header("{}"), "this is not a training state of xgrad"},
          {"no step", checkpoint("step"), "it has no step"},
          {"step -5", checkpoint("step", "-5"), progress},
          {"step 2^62", checkpoint("step", "4611686018427387904"), progress},
          {"step 2^64", checkpoint("step", "18446744073709551616"), "not a number"},
          {"step 1.5", checkpoint("step", "1.5"), "step is '1.5', not a number"},
          {"step with a blank", checkpoint("step", " 1"), "not a number"},
          {"loss nan", checkpoint("loss", "nan"), progress},
          {"loss inf", checkpoint("loss", "inf"), progress},
          {"no loss", checkpoint("loss", "x"), "loss is 'x', not a number"},
          {"seconds inf", checkpoint("seconds", "inf"), progress},
          {"seconds below 0", checkpoint("seconds", "-1"), progress},
          {"more right than samples", checkpoint("correct", "2"), progress},
          {"fewer than no sample", checkpoint("samples", "-1"), progress},
          {"loader position 2^64-1", checkpoint("loader_position", "18446744073709551615"), place},
          {"loader epoch 2^63", checkpoint("loader_epoch", "9223372036854775808"), place},
          {"seed -1", checkpoint("generator_seed", "-1"), "generator_seed is '-1', not a number"},
          {"no seed", checkpoint("loader_seed"), "it has no loader_seed"}};
}

}  // namespace xgrad::tests
