#pragma once
// Random programs for the fuzz test: elementwise work and reductions of arrays that all broadcast.
#include <algorithm>

#include "tests/helpers.hpp"

namespace xgrad::tests {

struct Instruction {
  enum Kind { leaf, map, sum, extreme, broadcast, regroup, write, demand } kind;
  Shape shape = {};
  std::vector<std::size_t> operands = {};
  long number = 0;  // which operation, how far a chain goes, which element is written
  long repeat = 1;
  double value = 0;
};
struct Program {
  std::vector<Instruction> code;
  std::vector<std::int64_t> order;  // in which the results are read; some are never
};

/// Invents programs whose shapes all broadcast with each other.
class Inventor {
 public:
  explicit Inventor(std::uint64_t seed) : random_(seed) {}

  Program program() {
    base_ = shape();
    Program p;
    const long leaves = 2 + random_.below(3), length = leaves + 5 + random_.below(20);
    while (long(p.code.size()) < length) {
      p.code.push_back(long(p.code.size()) < leaves ? Instruction{Instruction::leaf, reduced(base_)}
                                                    : any(p));
      if (p.code.size() == 1) p.code[0].shape = base_;
    }
    p.order = random_.permutation(length);
    p.order.resize(std::size_t(1 + random_.below(length)));
    return p;
  }

 private:
  Shape shape() {
    const long sizes[] = {1, 40, 700, 4096, 4097, 5000, 9000, 20000, 65536, 70000};
    const long lengths[] = {1, 1, 2, 3, 5, 7, 8, 16, 17, 31, 64, 100};
    const long size = sizes[random_.below(random_.below(4) ? 8 : 10)];
    Shape shape;
    for (long rank = random_.below(6); shape.rank() < rank;) {
      const long length = lengths[random_.below(12)];
      shape.push_back(shape.size() * length <= size ? length : 1);
    }
    if (shape.rank()) {  // one axis makes up for the rest
      const int axis = int(random_.below(shape.rank()));
      const long others = shape.size() / shape[axis];
      shape[axis] = std::max(1l, size / others);
    }
    return shape;
  }
  /// The shape with some axes of length 1, and perhaps without the first.
  Shape reduced(const Shape& from) {
    Shape shape = from;
    const long odds = 1 + random_.below(3);
    for (int i = 0; i < shape.rank(); ++i)
      if (random_.below(1 + odds) == 0) shape[i] = 1;
    while (shape.rank() && shape[0] == 1 && random_.below(2)) shape.erase(0);
    return shape;
  }
  std::size_t operand(const Program& p) { return std::size_t(random_.below(long(p.code.size()))); }

  Instruction any(const Program& p) {
    const long choice = random_.below(100);
    Instruction i{Instruction::map};
    auto take = [&](int count) {
      for (int k = 0; k < count; ++k) {
        i.operands.push_back(operand(p));
        i.shape = broadcast("fuzz", i.shape, p.code[i.operands.back()].shape);
      }
      i.number = random_.below(60);
    };
    if (choice < 58) {
      take(choice < 12 ? 1 : choice < 46 ? 2 : choice < 52 ? 3 : 4);
    } else if (choice < 62) {
      take(1 + int(random_.below(2)));
      i.repeat = 20 + random_.below(80);
    } else {
      take(1);
      const Shape from = i.shape;
      if (choice < 82) {
        i.kind = choice < 75 ? Instruction::sum : Instruction::extreme;
        i.shape = reduced(from);
      } else if (choice < 88) {
        i.kind = Instruction::broadcast;
        i.shape = broadcast("fuzz", from, reduced(base_));
      } else if (choice < 91) {
        i.kind = Instruction::regroup;
      } else {
        i.kind = choice < 96 ? Instruction::write : Instruction::demand;
        i.number = random_.below(from.size());
        i.value = double(random_.below(3)) - 1;
      }
    }
    return i;
  }

  Generator random_;
  Shape base_;
};

}  // namespace xgrad::tests
