// Some of the random programs of ./run oracle, and that it finds and shrinks what is wrong.
#include "tests/catch.hpp"
#include "tests/libtorch/oracle/program.hpp"

namespace xgrad::tests::oracle {

TEST_CASE("random programs give what libtorch gives, or differ by a rule", "[libtorch][oracle]") {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    const Program p = invent(seed);
    if (p.code.empty()) continue;
    Explained explained;
    const std::string what = difference(p, explained);
    INFO("./run oracle --seed " << seed);
    CHECK(what == "");
  }
}

}  // namespace xgrad::tests::oracle
