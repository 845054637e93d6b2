// Pictures of graphs: nodes with their names, shapes and edges, and text that Graphviz can read.
#include <xgrad/core/tape/tape.hpp>
#include <xgrad/ops/ops.hpp>
#include "tests/catch.hpp"
#include "tests/helpers.hpp"

using namespace xgrad;
using namespace xgrad::tests;

TEST_CASE("graphviz: every node once, leaves as boxes, an arrow for each edge") {
  Variable x(zeros({2, 3}), requires_grad), w(zeros({3}, DType::f64), requires_grad);
  x.set_name("x");
  Variable h = x * x;
  h.set_name("squares");
  const Variable y = h + cast(w, DType::f32);
  CHECK(graphviz(y) == R"(digraph xgrad {
  rankdir=TB;
  node [fontname="sans-serif", fontsize=11];
  n0 [label="add\n(2, 3) f32", shape=ellipse, style=filled, fillcolor="#dae8fc"];
  n1 [label="squares: mul\n(2, 3) f32", shape=ellipse, style=filled, fillcolor="#dae8fc"];
  n2 [label="cast\n(3,) f32", shape=ellipse, style=filled, fillcolor="#dae8fc"];
  n3 [label="x\n(2, 3) f32", shape=box, style=filled, fillcolor="#fff2cc"];
  n4 [label="(3,) f64", shape=box, style=filled, fillcolor="#fff2cc"];
  n1 -> n0;
  n2 -> n0;
  n3 -> n1;
  n3 -> n1;
  n4 -> n2;
}
)");
}

TEST_CASE("graphviz: quotes, backslashes and line ends in names are escaped") {
  Variable x(1., requires_grad);
  x.set_name("a \"b\" \\ c\nd");
  CHECK(graphviz(x).find(R"(label="a \"b\" \\ c\nd\n() f64")") != std::string::npos);
}

TEST_CASE("graphviz: a chain of 100,000 is written without recursion") {
  Variable x(1., requires_grad), y = x;
  for (int i = 0; i < 100'000; ++i) y = y + 1;
  const std::string text = graphviz(y);
  CHECK(text.find("n100000 -> n99999;") != std::string::npos);
}
