// Prints what xgrad gives for each edge case: a line of JSON with its number, and the elements or the error.
#include "tests/edge_cases/answers.hpp"
#include "tests/edge_cases/xgrad.hpp"

int main(int argc, char** argv) {
  return xgrad::tests::edge_cases::answer(argc, argv, "xgrad", "this commit",
                                          xgrad::tests::edge_cases::by_xgrad);
}
