// What helps to find mistakes in a program of one's own: its lines in an Error, the compiler's messages,
// AddressSanitizer, debuggers. Each test compiles a small program as users do.
#include <fstream>

#include "tests/catch.hpp"
#include "tests/paths.hpp"
#include "tests/run.hpp"

using namespace xgrad::tests;

namespace {

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
constexpr bool instrumented = true;
#elif defined __has_feature
constexpr bool instrumented = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool instrumented = false;
#endif

const std::string build = XGRAD_BUILD_ROOT;

/// A program of one file, main.cpp, which begins with two lines of its own; what the compiler said.
class UserProgram {
 public:
  UserProgram(const std::string& code, const std::string& flags) {
    std::ofstream(folder / "main.cpp") << "#include <xgrad/xgrad.hpp>\nusing namespace xgrad;\n" << code;
    compiled =
        run("LC_ALL=C; export LC_ALL; cd '" + folder.path.string() +
            "' && c++ -std=c++20 -fno-diagnostics-color " + flags + " -I'" + build +
            "/include' main.cpp -o main -L'" + build + "' -lxgrad -lfmt -pthread -Wl,-rpath,'" + build + "'");
  }
  Outcome start(const std::string& before = "") const {
    INFO(compiled.output);
    REQUIRE(compiled.exit_code == 0);
    return run("cd '" + folder.path.string() + "' && " + before + " ./main");
  }

  TemporaryFolder folder;
  Outcome compiled;
};

}  // namespace

TEST_CASE("debugging: an Error shows the user's own lines with XGRAD_BACKTRACE=1") {
  if (instrumented) return skip("an instrumented library does not go into other programs");
  if (!have("addr2line")) return skip("addr2line is not installed");
  const UserProgram program(R"(#include <cstdio>
Variable deep(const Variable& x) {
  return matmul(x, x);
}
int main() {
  try {
    deep(ones({2, 3}));
  } catch (const Error& e) {
    std::puts(e.what());
  }
}
)",
                            "-g");
  const std::string message = "matmul: (2, 3) and (2, 3) do not fit";
  const std::string plain = program.start().output, traced = program.start("XGRAD_BACKTRACE=1").output;
  CHECK(plain.find("matmul: ") == 0);
  CHECK(plain.find('\n') == plain.size() - 1);
  CHECK(program.start("XGRAD_BACKTRACE=0").output == plain);
  INFO(traced);
  CHECK(traced.starts_with(plain.substr(0, plain.size() - 1) + "\n  at deep("));
  CHECK(traced.find("main.cpp:5)\n  at main (") != std::string::npos);
  CHECK(traced.ends_with("main.cpp:9)\n"));
}

TEST_CASE("debugging: the compiler refuses an option that does not exist, and names it") {
  const UserProgram program(
      R"(void optimizer(Linear& net) { Adam adam(parameters(net), {.leraning_rate = 1e-3}); }
void convolution() { Conv2d conv(1, 6, {.kernl = 5}); }
void loss(Variable x) { cross_entropy(x, x, {.smoothing = .1}); }
void named(Linear& net) { Adam adam(parameters(net), AdamOptions{.beta = .9}); }
int main() {}
)",
      "-fsyntax-only");
  const std::string& said = program.compiled.output;
  INFO(said);
  CHECK(program.compiled.exit_code != 0);
  // g++ shows the line and names the options' type; where the program names the type, it names the member.
  for (const char* part : {".leraning_rate", "AdamOptions", ".kernl", "Conv2dLayerOptions", ".smoothing",
                           "CrossEntropyOptions", "'beta'"}) {
    INFO(part);
    CHECK(std::string(said).find(part) != std::string::npos);
  }
}

TEST_CASE("debugging: what would dangle does not compile, and the message says what to do") {
  const UserProgram program(R"(void dangle(Variable y) { auto e = softmax(y).data().elements<float>(); }
int main() {}
)",
                            "-fsyntax-only");
  CHECK(program.compiled.exit_code != 0);
  INFO(program.compiled.output);
  CHECK(program.compiled.output.find("deleted") != std::string::npos);
  CHECK(program.compiled.output.find("// of a temporary Array: keep it in a variable") != std::string::npos);
}

TEST_CASE("debugging: AddressSanitizer sees what is used after its Array is gone") {
  if (instrumented) return skip("an instrumented library does not go into other programs");
  const UserProgram program(R"(int main() {
  const float* p = nullptr;
  {
    const Variable x = Variable(full({1000}, 7)) * 1;
    p = x.data().data<float>();
  }
  auto other = zeros({1000});
  return p[3] == 7 ? 0 : 1;
}
)",
                            "-g -fsanitize=address");
  const Outcome outcome = program.start("LD_PRELOAD= ASAN_OPTIONS=detect_leaks=0");
  INFO(outcome.output);
  CHECK(outcome.output.find("heap-use-after-free") != std::string::npos);
}

TEST_CASE("debugging: gdb shows arrays and Variables by their elements") {
  if (instrumented) return skip("an instrumented library does not go into other programs");
  if (!have("gdb")) return skip("gdb is not installed");
  const UserProgram program(R"(void stop(const Variable&, const Array&, const Shape&, const Parameter&) {}
int main() {
  Variable x(array<float>({{1, 2}, {3, 4}}), requires_grad);
  Variable y = relu(x), none, pending = Variable(ones({100, 100})) * 2;
  Array labels = arange(3);
  Shape shape{2, 3};
  Parameter p{ones({2})};
  stop(y, labels, shape, p);
}
)",
                            "-g -O0");
  const Outcome outcome =
      program.start("gdb -nx -batch -ex 'source " XGRAD_SOURCE_ROOT
                    "/tools/debuggers/xgrad_gdb.py' -ex 'break stop' -ex run -ex up -ex 'print x' "
                    "-ex 'print y' -ex 'print none' -ex 'print pending' -ex 'print labels' -ex 'print shape' "
                    "-ex 'print p'");
  if (outcome.output.find("Could not trace the inferior process") != std::string::npos ||
      outcome.output.find("ptrace: Operation not permitted") != std::string::npos)
    return skip("processes may not be traced here");
  INFO(outcome.output);
  for (const char* line : {"$1 = Variable([[1., 2.],\n          [3., 4.]], requires_grad)",
                           "$2 = Variable([[1., 2.],\n          [3., 4.]], op=relu)",
                           "$3 = Variable(undefined)", "$4 = Variable(pending, shape=(100, 100), dtype=f32)",
                           "$5 = array([0, 1, 2])", "$6 = (2, 3)", "$7 = Variable([1., 1.], requires_grad)"})
    CHECK(outcome.output.find(line) != std::string::npos);
}
