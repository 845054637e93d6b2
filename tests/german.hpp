#pragma once
// A locale that writes 1234.5 as 1.234,5, for the length of a test.
#include <clocale>
#include <cstdlib>
#include <locale>
#include <string>

#include "tests/catch.hpp"
#include "tests/datasets/files.hpp"

namespace xgrad::tests {

/// Makes German the locale of C, where the system can make one, of C++, and of programs that are started.
class German {
  struct Comma : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
  };

 public:
  German() {
    const std::string made = folder_ / "de_DE.UTF-8";
    there_ = std::system(("localedef -i de_DE -f UTF-8 '" + made + "' >/dev/null 2>&1").c_str()) == 0 &&
             std::setlocale(LC_ALL, "de_DE.UTF-8");
  }
  ~German() {
    std::locale::global(before_);
    std::setlocale(LC_ALL, "C");
  }
  German(const German&) = delete;
  German& operator=(const German&) = delete;
  /// Whether C's locale is German, too.
  bool of_c() const { return there_; }

 private:
  TemporaryFolder folder_;
  Environment path_{"LOCPATH", folder_.path.string()}, all_{"LC_ALL", "de_DE.UTF-8"};
  std::locale before_ = std::locale::global(std::locale(std::locale::classic(), new Comma));
  bool there_ = false;
};

}  // namespace xgrad::tests
