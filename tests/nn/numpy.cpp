// .npz and pickles: round trips, what NumPy wrote, and every way a file can be wrong.
#include <xgrad/nn/formats/numpy.hpp>

#include <fstream>

#include <xgrad/core/base/files.hpp>
#include <xgrad/nn/formats/numpy_array.hpp>
#include <xgrad/nn/layers.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"

using namespace xgrad;
using tests::error_of;
using tests::TemporaryFolder;
using tests::values;

namespace {

// {'W1': float32 (2, 3), 'b1': float64 (2,), 'n': {'f': int64 (2, 3) in Fortran order}, 'text': 'x', 'lr':
// .5}, pickled by NumPy 1.24; base64.
constexpr const char* protocol_2 =
    "gAJ9cQAoWAIAAABXMXEBY251bXB5LmNvcmUubXVsdGlhcnJheQpfcmVjb25zdHJ1Y3QKcQJjbnVtcHkKbmRhcnJheQpxA0sAhXEE"
    "Y19jb2RlY3MKZW5jb2RlCnEFWAEAAABicQZYBgAAAGxhdGluMXEHhnEIUnEJh3EKUnELKEsBSwJLA4ZxDGNudW1weQpkdHlwZQpx"
    "DVgCAAAAZjRxDomIh3EPUnEQKEsDWAEAAAA8cRFOTk5K/////0r/////SwB0cRJiiWgFWBsAAAAAAAAAAADCgD8AAABAAABAQAAA"
    "woBAAADCoEBxE2gHhnEUUnEVdHEWYlgCAAAAYjFxF2gCaANLAIVxGGgJh3EZUnEaKEsBSwKFcRtoDVgCAAAAZjhxHImIh3EdUnEe"
    "KEsDaBFOTk5K/////0r/////SwB0cR9iiWgFWBIAAAAAAAAAAADDuD8AAAAAAAAAw4BxIGgHhnEhUnEidHEjYlgBAAAAbnEkfXEl"
    "WAEAAABmcSZoAmgDSwCFcSdoCYdxKFJxKShLAUsCSwOGcSpoDVgCAAAAaThxK4mIh3EsUnEtKEsDaBFOTk5K/////0r/////SwB0"
    "cS5iiGgFWDAAAAAAAAAAAAAAAAMAAAAAAAAAAQAAAAAAAAAEAAAAAAAAAAIAAAAAAAAABQAAAAAAAABxL2gHhnEwUnExdHEyYnNY"
    "BAAAAHRleHRxM1gBAAAAeHE0WAIAAABscnE1Rz/gAAAAAAAAdS4=";
constexpr const char* protocol_3 =
    "gAN9cQAoWAIAAABXMXEBY251bXB5LmNvcmUubXVsdGlhcnJheQpfcmVjb25zdHJ1Y3QKcQJjbnVtcHkKbmRhcnJheQpxA0sAhXEE"
    "QwFicQWHcQZScQcoSwFLAksDhnEIY251bXB5CmR0eXBlCnEJWAIAAABmNHEKiYiHcQtScQwoSwNYAQAAADxxDU5OTkr/////Sv//"
    "//9LAHRxDmKJQxgAAAAAAACAPwAAAEAAAEBAAACAQAAAoEBxD3RxEGJYAgAAAGIxcRFoAmgDSwCFcRJoBYdxE1JxFChLAUsChXEV"
    "aAlYAgAAAGY4cRaJiIdxF1JxGChLA2gNTk5OSv////9K/////0sAdHEZYolDEAAAAAAAAPg/AAAAAAAAAMBxGnRxG2JYAQAAAG5x"
    "HH1xHVgBAAAAZnEeaAJoA0sAhXEfaAWHcSBScSEoSwFLAksDhnEiaAlYAgAAAGk4cSOJiIdxJFJxJShLA2gNTk5OSv////9K////"
    "/0sAdHEmYohDMAAAAAAAAAAAAwAAAAAAAAABAAAAAAAAAAQAAAAAAAAAAgAAAAAAAAAFAAAAAAAAAHEndHEoYnNYBAAAAHRleHRx"
    "KVgBAAAAeHEqWAIAAABscnErRz/gAAAAAAAAdS4=";
constexpr const char* protocol_4 =
    "gASVlgEAAAAAAAB9lCiMAlcxlIwVbnVtcHkuY29yZS5tdWx0aWFycmF5lIwMX3JlY29uc3RydWN0lJOUjAVudW1weZSMB25kYXJy"
    "YXmUk5RLAIWUQwFilIeUUpQoSwFLAksDhpRoBYwFZHR5cGWUk5SMAmY0lImIh5RSlChLA4wBPJROTk5K/////0r/////SwB0lGKJ"
    "QxgAAAAAAACAPwAAAEAAAEBAAACAQAAAoECUdJRijAJiMZRoBGgHSwCFlGgJh5RSlChLAUsChZRoDowCZjiUiYiHlFKUKEsDaBJO"
    "Tk5K/////0r/////SwB0lGKJQxAAAAAAAAD4PwAAAAAAAADAlHSUYowBbpR9lIwBZpRoBGgHSwCFlGgJh5RSlChLAUsCSwOGlGgO"
    "jAJpOJSJiIeUUpQoSwNoEk5OTkr/////Sv////9LAHSUYohDMAAAAAAAAAAAAwAAAAAAAAABAAAAAAAAAAQAAAAAAAAAAgAAAAAA"
    "AAAFAAAAAAAAAJR0lGJzjAR0ZXh0lIwBeJSMAmxylEc/4AAAAAAAAHUu";
// savez_compressed(a=int16 (2, 3), big-endian; b=float32 (2, 2) in Fortran order; c=bool ()).
constexpr const char* compressed =
    "UEsDBBQAAAAIAAAAIQCQvN3CUgAAAIwAAAAFABQAYS5ucHkBABAAjAAAAAAAAABSAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6l"
    "oG6XaaSuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GkY6CsaaOgq1CmQDLgYGBkYGJgZmBhYGVgBQSwMEFAAAAAgAAAAh"
    "AIlS9hVTAAAAkAAAAAUAFABiLm5weQEAEACQAAAAAAAAAFMAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgbpNmoq6joJ6WX1RS"
    "lJgXn1+UkgoSDykqTQUKF2ckFqQCuRpGOgpGmjoKtQrkAy4GhgZ7BgYHBwYgAWQ7AABQSwMEFAAAAAgAAAAhAIIt+NNDAAAAgQAA"
    "AAUAFABjLm5weQEAEACBAAAAAAAAAEMAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgXpNkqK6joJ6WX1RSlJgXn1+UkgoSd0vM"
    "KU4FihdnJBakAvkamjoKtQoUAS5GAFBLAQIUAxQAAAAIAAAAIQCQvN3CUgAAAIwAAAAFAAAAAAAAAAAAAACAAQAAAABhLm5weVBL"
    "AQIUAxQAAAAIAAAAIQCJUvYVUwAAAJAAAAAFAAAAAAAAAAAAAACAAYkAAABiLm5weVBLAQIUAxQAAAAIAAAAIQCCLfjTQwAAAIEA"
    "AAAFAAAAAAAAAAAAAACAARMBAABjLm5weVBLBQYAAAAAAwADAJkAAACNAQAAAAA=";

std::string decoded(std::string_view base64) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  unsigned bits = 0;
  int count = 0;
  for (char c : base64) {
    if (c == '=') break;
    bits = bits << 6 | unsigned(digits.find(c));
    if ((count += 6) >= 8) bytes += char(bits >> (count -= 8) & 255);
  }
  return bytes;
}
std::string written(const TemporaryFolder& folder, const std::string& name, const std::string& bytes) {
  std::ofstream(folder / name, std::ios::binary) << bytes;
  return folder / name;
}
std::string replaced(std::string text, std::string_view from, std::string_view to) {
  return text.replace(text.find(from), from.size(), to);
}

}  // namespace

TEST_CASE("arrays of all dtypes come back from a .npz") {
  TemporaryFolder folder;
  Tensors tensors{
      {{"fc.weight", full({2, 3}, 1.5, DType::f64)}, {"empty", zeros({0, 2})}, {"number", full({}, .5)}}, {}};
  for (DType dtype : all_dtypes)
    if (dtype != DType::bf16)
      tensors.arrays.push_back({name(dtype), array<float>({0, 1, 1, 0, 1}).cast(dtype)});
  CHECK(error_of([&] {
          save_npz(folder / "t.npz", {{{"x", zeros({2}, DType::bf16)}}, {}});
        }) == "npy: NumPy has no bf16; cast to f32 first");
  CHECK(!std::filesystem::exists(folder / "t.npz"));
  save_npz(folder / "t.npz", tensors);
  const Tensors back = load_npz(folder / "t.npz");
  REQUIRE(back.arrays.size() == tensors.arrays.size());
  for (std::size_t i = 0; i < back.arrays.size(); ++i) {
    INFO(back.arrays[i].name);
    CHECK(back.arrays[i].name == tensors.arrays[i].name);
    CHECK(back.arrays[i].value.dtype() == tensors.arrays[i].value.dtype());
    CHECK(back.arrays[i].value.shape() == tensors.arrays[i].value.shape());
    CHECK(values(back.arrays[i].value) == values(tensors.arrays[i].value));
  }
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 1);
  CHECK(error_of([&] {
          save_npz(folder / "u.npz", {{{"x", arange(1)}, {"x", arange(1)}}, {}});
        }) == (folder / "u.npz").string() + ": two arrays are called x");
  CHECK(!std::filesystem::exists(folder / "u.npz"));
}

TEST_CASE("what NumPy wrote compressed is read: big-endian, Fortran order, bool") {
  TemporaryFolder folder;
  const Tensors t = load_npz(written(folder, "t.npz", decoded(compressed)));
  CHECK(values(t.at("a")) == std::vector<double>{0, 1, 2, 3, 4, 5});
  CHECK(t.at("a").dtype() == DType::i64);
  CHECK(t.at("b").shape() == Shape{2, 2});
  CHECK(values(t.at("b")) == std::vector<double>{1, 2, 3, 4});
  CHECK(t.at("c").dtype() == DType::boolean);
  CHECK(values(t.at("c")) == std::vector<double>{1});
}

TEST_CASE("a damaged .npz or .npy is refused") {
  TemporaryFolder folder;
  const std::string whole = decoded(compressed);
  const std::string npy = std::string("\x93NUMPY\x01\0\x3c\0", 10) +
                          "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }  \n" +
                          std::string(8, '\0');
  CHECK(values(load_npy(written(folder, "good.npy", npy))) == std::vector<double>{0, 0});
  auto npy_error = [&](const std::string& bytes) {
    const std::string file = written(folder, "x.npy", bytes), error = error_of([&] { load_npy(file); });
    return error.starts_with(file + ": ") ? error.substr(file.size() + 2) : error;
  };
  CHECK(npy_error("") == "byte 0: this is not a .npy file");
  CHECK(npy_error(npy.substr(0, 40)) ==
        "byte 10: the header was expected, but the file ends after 30 more bytes");
  CHECK(npy_error(npy.substr(0, npy.size() - 1)) == "byte 70: 7 bytes are too few for shape (2,) of <f4");
  CHECK(npy_error(replaced(npy, "'<f4'", "'<c8'")) ==
        "byte 10: dtype '<c8' cannot be read; float16, float32, float64, integers and bool can");
  CHECK(npy_error(replaced(npy, "(2,)", "(-2)")) == "byte 61: the length of an axis was expected");
  CHECK(npy_error(replaced(npy, "'shape'", "'shade'")) ==
        "byte 59: the key 'shade' is given twice or is not one of a .npy header");
  CHECK(error_of([&] { load_npz(folder / "none.npz"); }).find("none.npz") != std::string::npos);
  for (std::size_t length = 0; length < whole.size(); length += 7) {
    const std::string file = written(folder, "cut.npz", whole.substr(0, length));
    INFO(length);
    CHECK(error_of([&] { load_npz(file); }).find("cut.npz") != std::string::npos);
  }
}

TEST_CASE("the book's pickles are read by each protocol") {
  TemporaryFolder folder;
  for (const char* text : {protocol_2, protocol_3, protocol_4}) {
    const Tensors t = load_pickle(written(folder, "p.pkl", decoded(text)));
    REQUIRE(t.arrays.size() == 3);
    CHECK(t.at("W1").dtype() == DType::f32);
    CHECK(t.at("W1").shape() == Shape{2, 3});
    CHECK(values(t.at("W1")) == std::vector<double>{0, 1, 2, 3, 4, 5});
    CHECK(values(t.at("b1")) == std::vector<double>{1.5, -2});
    CHECK(t.at("n.f").shape() == Shape{2, 3});
    CHECK(values(t.at("n.f")) == std::vector<double>{0, 1, 2, 3, 4, 5});
  }
}

TEST_CASE("a pickle that names anything but arrays is refused and not executed") {
  TemporaryFolder folder;
  auto refusal = [&](const std::string& bytes) {
    const std::string file = written(folder, "p.pkl", bytes), error = error_of([&] { load_pickle(file); });
    return error.starts_with(file + ": ") ? error.substr(file.size() + 2) : error;
  };
  CHECK(refusal("\x80\x03"
                "cposix\nsystem\nX\x04\0\0\0true\x85R.") ==
        "byte 2: posix.system is refused: only NumPy arrays, dicts, lists, strings and numbers are read");
  CHECK(refusal("\x80\x04\x8c\x08"
                "builtins\x8c\x04"
                "eval\x93.") ==
        "byte 18: builtins.eval is refused: only NumPy arrays, dicts, lists, strings and numbers are read");
  CHECK(refusal("\x80\x03"
                "ccollections\nOrderedDict\n)R.")
            .find("collections.OrderedDict is refused") != std::string::npos);
  CHECK(refusal("\x80\x02\x81.").find("opcode 0x81 is refused") != std::string::npos);
  CHECK(refusal("\x80\x06.") == "byte 0: pickle protocol 6 cannot be read; 0 to 5 can");
  CHECK(refusal("") == "byte 0: an opcode was expected, but the file ends here");
  CHECK(refusal("\x80\x03]q\x01h\x01"
                "a.")
            .find("nested too deeply") != std::string::npos);  // a list in itself
  using namespace std::string_literals;
  CHECK(refusal("\x80\x02}q\0X\0\0\0\0h\0s."s).find("nested too deeply") != std::string::npos);  // by no name
  std::string deep = "\x80\x02]"s;  // a list in a list in ...
  for (int i = 0; i < 1'000'000; ++i) deep += ']';
  for (int i = 0; i < 1'000'000; ++i) deep += 'a';
  CHECK(refusal(deep + ".").find("nested too deeply") != std::string::npos);
  const std::string whole = decoded(protocol_4);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    INFO(length);
    CHECK(refusal(whole.substr(0, length)).starts_with("byte "));
  }
}

TEST_CASE("a million nested tuples are freed without recursion") {
  TemporaryFolder folder;
  const std::string file = written(folder, "p.pkl", "\x80\x02)" + std::string(1'000'000, '\x85') + ".");
  CHECK(error_of([&] { load_pickle(file); }).ends_with("nested too deeply: more than 100 levels"));
}

TEST_CASE("damaged pickles end in an error or an array, never elsewhere") {
  TemporaryFolder folder;
  const std::string whole = decoded(protocol_3);
  for (std::size_t i = 0; i < whole.size(); ++i)
    for (char flip : {1, 16, -128}) {
      std::string damaged = whole;
      damaged[i] ^= flip;
      const std::string file = written(folder, "p.pkl", damaged),
                        error = error_of([&] { load_pickle(file); });
      CHECK((error.empty() || error.starts_with(file + ": ")));
    }
}

TEST_CASE("the book's names and (in, out) weights fit a model of the same layers", "[names]") {
  struct Net {
    Linear fc1{2, 3}, fc2{3, 1};
  } net;
  const Tensors book{{{"b1", full({3}, 7, DType::f64)},
                      {"b2", full({1}, 8)},
                      {"W1", Array({2, 3}, std::vector<float>{0, 1, 2, 3, 4, 5})},
                      {"W2", ones({3, 1})}},
                     {}};
  load_book(net, book, "book");
  CHECK(values(net.fc1.weight.data()) == std::vector<double>{0, 3, 1, 4, 2, 5});
  CHECK(values(net.fc1.bias.data()) == std::vector<double>{7, 7, 7});
  CHECK(error_of([&] {
          load_book(net, {{book.arrays[0]}, {}}, "book");
        }) == "book: has no W1, which the model needs for fc1.weight");
}

TEST_CASE("what is written in parts is written whole") {
  std::string written;
  auto seven = [&](const char* bytes, std::size_t n) {  // as libarchive takes 2^31 - 1 at a time
    written.append(bytes, std::min<std::size_t>(n, 7));
    return std::min<std::size_t>(n, 7);
  };
  const std::string text = "twenty-three characters";
  detail::write_all(seven, text.data(), text.size());
  CHECK(written == text);
  detail::write_all(seven, text.data(), 0);
  CHECK(written == text);
  CHECK(error_of([&] {
          detail::write_all([](const char*, std::size_t) { return std::size_t(0); }, text.data(), 3);
        }) == "write: 0 of 3 bytes were written");
}

TEST_CASE("a .npz that states more than it can hold is refused without the memory for it") {
  TemporaryFolder folder;
  save_npz(folder / "t.npz", {{{"a", arange(4)}}, {}});
  std::string bytes = tests::read_file(folder / "t.npz");
  const auto directory = bytes.rfind("PK\x01\x02");
  for (std::size_t at : {std::size_t(18), std::size_t(22), directory + 20, directory + 24})  // of the sizes
    bytes.replace(at, 4, "\xf0\xff\xff\xff");
  const std::string file = written(folder, "x.npz", bytes);
  CHECK(error_of([&] { load_npz(file); }).find("x.npz") != std::string::npos);
}

// Takes 5 GB of disk and of memory: tests/tests "[large]".
TEST_CASE("arrays above 2 GiB and 4 GiB are saved whole", "[.large]") {
  TemporaryFolder folder;
  for (long size : {600'000'000l, 1'200'000'000l}) {
    Array x = zeros({size});
    x.mutable_data<float>()[size - 1] = 7;
    const std::string npz = folder / "x.npz", tensors = folder / "x.safetensors";
    save_npz(npz, {{{"x", x}, {"y", arange(3)}}, {}});
    save_tensors(tensors, {{{"x", x}, {"y", arange(3)}}, {}});
    x = Array();
    for (bool numpy : {true, false}) {
      const std::string& file = numpy ? npz : tensors;
      CHECK(long(std::filesystem::file_size(file)) > 4 * size);
      const Tensors back = numpy ? load_npz(file) : load_tensors(file);
      REQUIRE(back.at("x").size() == size);
      CHECK(back.at("x").data<float>()[size - 1] == 7);
      CHECK(back.at("y").data<std::int64_t>()[2] == 2);
    }
  }
}
