// Special values of what moves elements, of products of matrices and of images.
#include "tests/ops/special.hpp"

namespace xgrad::tests {
namespace {

using enum Authority;
using Inputs = std::vector<Variable>;
using Function = std::function<Variable(const Inputs&)>;

const V all_kinds{-0., nan, inf, -inf};

/// What moves all elements, or the first ones, changes none of them.
Special move(const char* op, Function f) {
  return {op, {all_kinds}, std::move(f), all_kinds, V(4, 1), V(4, 0), ieee};
}
/// The same for no elements.
Special none(const char* op, Function f) { return {op, {{}}, std::move(f), {}, V{}, V{}, numpy}; }

Variable image(const Variable& x, long h, long w) { return reshape(x, {1, 1, h, w}); }
const Array first_four = arange(4);

Specials shapes() {
  Function reversed = [](auto& in) { return flip(flip(in[0])); };
  Specials rows{
      move("reshape",
           [](auto& in) {
             return reshape(in[0], {2, -1});
           }),
      move("flatten",
           [](auto& in) {
             return flatten(reshape(in[0], {1, 2, 2}));
           }),
      move("transpose",
           [](auto& in) {
             return transpose(reshape(in[0], {1, 4}));
           }),
      move("squeeze",
           [](auto& in) {
             return squeeze(reshape(in[0], {1, 4, 1}));
           }),
      move("unsqueeze", [](auto& in) { return unsqueeze(in[0], 1); }),
      move("concat",
           [](auto& in) {
             return concat({slice(in[0], 0, 0, 1), slice(in[0], 0, 1, 4)});
           }),
      move("stack", [](auto& in) { return stack({in[0]}); }),
      move("split",
           [](auto& in) {
             return concat(split(in[0], {1, 0, 3}));
           }),
      move("slice", [](auto& in) { return slice(in[0], 0, 0, 4); }),
      move("pad",
           [](auto& in) {
             return pad(in[0], {{0, 0}}, nan);
           }),
      move("flip", reversed),
      move("gather", [](auto& in) { return gather(in[0], 0, first_four); }),
      move("take", [](auto& in) { return take(in[0], first_four); }),
      move("embedding",
           [](auto& in) {
             return embedding(reshape(in[0], {4, 1}), first_four);
           }),
      move("unfold", [](auto& in) { return unfold(image(in[0], 2, 2), 1); }),
      move("broadcast_to",
           [](auto& in) {
             return broadcast_to(in[0], {1, 4});
           }),
      move("sum_to", [](auto& in) { return sum_to(in[0], {4}); }),
      none("reshape",
           [](auto& in) {
             return reshape(in[0], {3, 0});
           }),
      none("transpose",
           [](auto& in) {
             return transpose(reshape(in[0], {0, 2}));
           }),
      none("concat",
           [](auto& in) {
             return concat({in[0], in[0]});
           }),
      none("slice", [](auto& in) { return slice(in[0], 0, 0, 4); }),
      none("flip", [](auto& in) { return flip(in[0]); }),
      none("gather", [](auto& in) { return gather(in[0], 0, arange(0)); }),
      none("cast", [](auto& in) { return cast(in[0], in[0].dtype()); }),
      {"pad",
       {{}},
       [](auto& in) {
         return pad(in[0], {{1, 1}}, -inf);
       },
       {-inf, -inf},
       V{},
       V{},
       numpy},
      {"cast",
       {{-0., inf, -inf, nan}},
       [](auto& in) { return cast(in[0], DType::f32); },
       {-0., inf, -inf, nan},
       V(4, 1),
       V(4, 0),
       ieee},
      row("add_gradients", add_gradients, {inf, -0., nan}, {-inf, -0., 1}, {nan, -0., nan}, V(6, 1), V(6, 0),
          ieee),
      {"scatter_add",
       {{0, 0}, {inf, -inf, nan}},
       [](auto& in) {
         return scatter_add(in[0], 0, array<std::int64_t>({0, 0, 1}), in[1]);
       },
       {nan, nan},
       V(5, 1),
       V(5, 0),
       ieee},
      {"scatter_add",
       {{5}, {}},
       [](auto& in) { return scatter_add(in[0], 0, arange(0), in[1]); },
       {5},
       V{1},
       V{0}},
      {"one_hot",
       {{}},
       [](auto&) {
         return Variable(one_hot(array<std::int64_t>({1, 0}), 2));
       },
       {0, 1, 1, 0}},
      {"one_hot", {{}}, [](auto&) { return Variable(one_hot(arange(0), 3)); }, {}},
  };
  return rows;
}

Specials products() {
  auto rows_by_columns = [](auto& in) {
    return matmul(reshape(in[0], {1, in[0].size()}), reshape(in[1], {in[1].size(), 1}));
  };
  auto layer = [](auto& in) {
    return linear(reshape(in[0], {1, in[0].size()}), reshape(in[1], {1, in[1].size()}));
  };
  auto taps = [](auto& in) { return conv2d(image(in[0], 1, in[0].size()), image(in[1], 1, in[1].size())); };
  auto spread = [](auto& in) {
    return conv_transpose2d(image(in[0], 1, in[0].size()), image(in[1], 1, in[1].size()));
  };
  Specials rows;
  for (auto& [op, f] : std::vector<std::pair<std::string, Function>>{
           {"matmul", rows_by_columns}, {"linear", layer}, {"conv2d", taps}}) {
    rows.push_back({op, {{0, 1}, {inf, 2}}, f, {nan}, V{inf, 2, 0, 1}, V(4, 1), ieee});
    rows.push_back({op, {{nan, 1}, {0, 2}}, f, {nan}, V{0, 2, nan, 1}, V(4, 1), ieee});
    rows.push_back({op, {{3}, {4}}, f, {12}, V{4, 3}, V{1, 1}});
  }
  rows.push_back({"matmul", {{}, {}}, rows_by_columns, {0}, V{}, V{}, numpy});
  rows.push_back({"linear", {{}, {}}, layer, {0}, V{}, V{}, numpy});
  rows.push_back({"conv_transpose2d", {{0, 1}, {inf}}, spread, {nan, inf}, V{inf, inf, 1}, V{1, 1, 2}, ieee});
  rows.push_back({"conv_transpose2d", {{3}, {4}}, spread, {12}, V{4, 3}, V{1, 1}});
  return rows;
}

Specials pools() {
  auto largest = [](auto& in) { return max_pool2d(image(in[0], 2, 2), 2); };
  auto average = [](auto& in) { return avg_pool2d(image(in[0], 2, 2), 2); };
  auto global = [](auto& in) { return global_avg_pool(image(in[0], 2, 2)); };
  auto folded = [](auto& in) { return fold(reshape(in[0], {1, 2, 2}), {1, 3}, {1, 2}); };
  Specials rows{
      {"max_pool2d", {{1, 3, 3, 2}}, largest, {3}, V{0, 1, 0, 0}, V(4, 0), pytorch},
      {"max_pool2d", {{-inf, -inf, -inf, -inf}}, largest, {-inf}, V{1, 0, 0, 0}, V(4, 0), pytorch},
      {"max_pool2d", {{1, nan, inf, 2}}, largest, {nan}, V{0, 1, 0, 0}, V(4, 0), pytorch},
      {"max_pool2d", {{5}}, [](auto& in) { return max_pool2d(image(in[0], 1, 1), 1); }, {5}, V{1}, V{0}},
      {"fold", {{1, inf, -inf, 2}}, folded, {1, nan, 2}, V(4, 1), V(4, 0), ieee},
  };
  for (auto& [op, f] :
       std::vector<std::pair<std::string, Function>>{{"avg_pool2d", average}, {"global_avg_pool", global}}) {
    rows.push_back({op, {{inf, -inf, 0, 0}}, f, {nan}, V(4, .25), V(4, 0), ieee});
    rows.push_back({op, {{nan, 1, 2, 3}}, f, {nan}, V(4, .25), V(4, 0), ieee});
  }
  return rows;
}

}  // namespace

Specials special_moves() {
  Specials rows = shapes();
  for (auto part : {products(), pools()}) rows.insert(rows.end(), part.begin(), part.end());
  return rows;
}

}  // namespace xgrad::tests
