// Tables from CSV files.
#include <xgrad/datasets/csv.hpp>

#include <cmath>
#include <fstream>

#include "tests/catch.hpp"
#include "tests/helpers.hpp"

using namespace xgrad;
using tests::error_of;
using tests::TemporaryFolder;

namespace {

struct File {
  TemporaryFolder folder;
  std::string path = (folder / "t.csv").string();
  explicit File(const std::string& text) { std::ofstream(path, std::ios::binary) << text; }
  /// What load_csv says of it, without the path.
  std::string refusal(const CsvOptions& options = {}) const {
    std::string message = error_of([&] { load_csv(path, options); });
    REQUIRE(message.starts_with(path + ": "));
    return message.substr(path.size() + 2);
  }
};

}  // namespace

TEST_CASE("a CSV file is read as numbers, texts and classes") {
  const File file(
      "area,town,\"price, in \"\"k\"\"\"\r\n50,Ulm,1e2\r\n\r\n70.5,\"Bad\nTölz\",\r\n60,Ulm,-3\r\n");
  const Table table = load_csv(file.path);
  CHECK(table.names == std::vector<std::string>{"area", "town", "price, in \"k\""});
  REQUIRE(table.size() == 3);
  CHECK(table.lines == std::vector<long>{2, 4, 6});
  CHECK(table.column("town") == std::vector<std::string>{"Ulm", "Bad\nTölz", "Ulm"});
  const Array numbers = table.numbers({"price, in \"k\"", "area"}, DType::f64);
  REQUIRE(numbers.shape() == Shape{3, 2});
  const double* x = numbers.data<double>();
  CHECK(x[0] == 100);
  CHECK(x[1] == 50);
  CHECK(std::isnan(x[2]));  // an empty field
  CHECK(x[3] == 70.5);
  CHECK(table.numbers({"area"}).dtype() == DType::f32);
  const Classes towns = table.classes("town");
  CHECK(towns.names == std::vector<std::string>{"Bad\nTölz", "Ulm"});
  CHECK(towns.labels.data<std::int64_t>()[0] == 1);
  CHECK(towns.labels.data<std::int64_t>()[1] == 0);
}

TEST_CASE("a CSV file may have no header, other delimiters, a byte order mark, and no last line break") {
  const File plain(
      "\xef\xbb\xbf"
      "1;2\n3;4");
  const Table table = load_csv(plain.path, {.delimiter = ';', .header = false});
  CHECK(table.names == std::vector<std::string>{"0", "1"});
  const Array all = table.numbers();
  REQUIRE(all.shape() == Shape{2, 2});
  CHECK(all.data<float>()[3] == 4);
  const Table empty = load_csv(File("a,b\n").path);
  CHECK(empty.size() == 0);
  CHECK(empty.numbers().shape() == Shape{0, 2});
}

TEST_CASE("a CSV file that is damaged is refused by file and line") {
  CHECK(File("a,b\n1,2\n3\n").refusal() == "line 3: 1 fields, where the first line has 2");
  CHECK(File("a,b\n1,2,3\n").refusal() == "line 2: 3 fields, where the first line has 2");
  CHECK(File("a,b\n1,\"2\n").refusal() == "line 2: unterminated quoted field");
  CHECK(File("a,b\n1,\"2\"3\n").refusal() == "line 2: '3' after a quoted field");
  CHECK(File("a,b\n1,2\"\n").refusal() == "line 2: unexpected quote in an unquoted field: '2\"'");
  CHECK(File("").refusal() == "the file is empty");
  CHECK(error_of([] { load_csv("/nowhere.csv"); }).find("/nowhere.csv") != std::string::npos);
  CHECK(error_of([] { load_csv("x", {.delimiter = '"'}); }) ==
        "load_csv: the delimiter cannot be a quote or a line break");
}

TEST_CASE("columns that are not there, and fields that are no numbers, are named") {
  const File file("a,b,a\n1,x,3\n");
  const Table table = load_csv(file.path);
  auto said = [&](auto&& f) {
    const std::string message = error_of(f);
    REQUIRE(message.starts_with(file.path));
    return message.substr(file.path.size());
  };
  CHECK(said([&] { table.column("c"); }) == ": no column is called 'c'; the columns are 'a', 'b', 'a'");
  CHECK(said([&] { table.column("a"); }) == ": two columns are called 'a'");
  CHECK(said([&] { table.numbers({"b"}); }) == ": line 2, column 'b': 'x' is not a number");
  const File signs("a\n +5\t\n-1e-3\n\"\"\n");
  const std::vector<double> read = load_csv(signs.path).numbers({}, DType::f64).to_vector<double>();
  CHECK(read[0] == 5);
  CHECK(read[1] == -1e-3);
  CHECK(std::isnan(read[2]));
  for (const char* text : {"0x10", "+-1", "1e999", "1,5"})
    CHECK_THROWS(load_csv(File("a\n\"" + std::string(text) + "\"\n").path).numbers());
  CHECK(said([&] { table.numbers({"b"}, DType::i64); }) == ": numbers are f32 or f64, not i64");
}
