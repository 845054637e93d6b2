// Numbers are read out of texts alike whichever way the standard library allows.
#include <xgrad/core/base/number_text.hpp>

#include <clocale>
#include <cmath>
#include <cstdint>
#include <string>

#include "tests/catch.hpp"

using namespace xgrad;

TEST_CASE("numbers in texts: all of the text is one number, in any locale") {
  const std::string before = std::setlocale(LC_ALL, nullptr);
  for (const char* locale : {"C", "de_DE.UTF-8"}) {
    std::setlocale(LC_ALL, locale);  // where there is none of that name the one before stays
    double value = 0;
    CHECK((read_number("0.5", value) && value == .5));
    CHECK((read_number("-12e-1", value) && value == -1.2));
    CHECK((read_number("1e308", value) && value == 1e308));
    CHECK((read_number("5e-324", value) && value == 5e-324));
    CHECK((read_number("inf", value) && std::isinf(value)));
    CHECK((read_number("-nan", value) && std::isnan(value)));
    for (const char* none : {"", " 1", "1 ", "+1", "1,5", "0x10", "0x1p3", "1e", "1e999", "one", "--1"}) {
      INFO(none);
      CHECK_FALSE(read_number(none, value));
    }
    std::uint64_t count = 0;
    CHECK((read_number("18446744073709551615", count) && count == ~0ull));
    for (const char* none : {"", "18446744073709551616", "-1", "1.5", " 1"})
      CHECK_FALSE(read_number(none, count));
  }
  std::setlocale(LC_ALL, before.c_str());
}
