#pragma once
// Products by packed panels: what a matrix product does on one thread, whatever its right side is made from.
#include <xgrad/ops/kernels/scratch.hpp>
#include <xgrad/ops/kernels/tile.hpp>

namespace xgrad::kernels {

inline constexpr long k_block =
    256;  // terms of a sum at a time: panels of 16 and 32 KiB stay in the first-level cache

/// The rows of A or the columns of B: element k of a line is data[line * line_step + k * k_step].
template <class T>
struct Operand {
  const T* data;
  long count, line_step, k_step;
};

/// Copies elements [first, first + k) of all lines to panels[line / lanes][k][line % lanes]; missing lines
/// become zero.
template <class T>
void pack_panels(const Operand<T>& x, long first, long k, T* panels) {
  using Pack = WidePack<T>;
  using Loose = LooseWidePack<T>;
  constexpr long width = lanes_of<T>;
  const T* from = x.data + first * x.k_step;
  const long whole = x.count / width * width;
  auto pack_some = [&](long line, long begin, long end) {
    const long count = std::min(width, x.count - line);
    for (long i = begin; i < end; ++i)
      for (long j = 0; j < width; ++j)
        panels[line * k + i * width + j] = j < count ? from[(line + j) * x.line_step + i * x.k_step] : T(0);
  };
  if (x.k_step == 1) {
    for (long line = 0; line < x.count; line += width) {
      long i = 0;
      for (; i + width <= k; i += width) {
        Pack block[width];
        for (long j = 0; j < width; ++j)
          block[j] = line + j < x.count ? *reinterpret_cast<const Loose*>(from + (line + j) * x.line_step + i)
                                        : Pack{};
        transpose(block);
        XGRAD_UNROLL for (long j = 0; j < width; ++j) *
            reinterpret_cast<Pack*>(panels + line * k + (i + j) * width) = block[j];
      }
      pack_some(line, i, k);
    }
    return;
  }
  constexpr long rows = 8;  // at a time: memory is read along its rows, which may be a page apart
  for (long i = 0; i < k; i += rows) {
    const long end = std::min(i + rows, k);
    if (x.line_step == 1)
      for (long line = 0; line < whole; line += width)
        for (long row = i; row < end; ++row)
          *reinterpret_cast<Pack*>(panels + line * k + row * width) =
              *reinterpret_cast<const Loose*>(from + line + row * x.k_step);
    for (long line = x.line_step == 1 ? whole : 0; line < x.count; line += width) pack_some(line, i, end);
  }
}

/// C (a.count, count) (+)= A B, on the calling thread. pack_right(first, k, panels) packs B's `count` columns
/// as pack_panels does. A is packed too, unless its rows are contiguous in k and come in fours: then it is
/// read in place.
template <class T, class PackRight>
void multiply(const Operand<T>& a, long count, const PackRight& pack_right, long k, bool accumulate, T* c,
              long ldc) {
  constexpr long width = lanes_of<T>;
  const long longest = std::min(k, k_block);
  const bool read_in_place = a.k_step == 1 && a.count % 4 == 0;
  Scratch<T> left(read_in_place ? 0 : round_up(a.count, width) * longest),
      right(round_up(count, width) * longest);
  for (long first = 0; first < k; first += k_block, accumulate = true) {
    const long depth = std::min(k_block, k - first), panel = depth * width;
    if (!read_in_place) pack_panels(a, first, depth, left.data());
    pack_right(first, depth, right.data());
    TileStrides direct{
        .a_row = 1, .a_k = width, .b_k = width, .b_pack = panel, .c_row = ldc, .c_pack = width};
    if (read_in_place) direct.a_row = a.line_step, direct.a_k = 1;
    TileStrides staged = direct;
    staged.c_row = tile_packs * width;
    for (long column = 0; column < count; column += tile_packs * width)
      for (long row = 0; row < a.count; row += tile_rows) {
        const long rows = std::min(a.count - row, long(tile_rows)),
                   columns = std::min(count - column, tile_packs * width);
        const long packs = (columns + width - 1) / width;
        const T* from_a =
            read_in_place ? a.data + row * a.line_step + first : left + row / width * panel + row % width;
        const T* from_b = right + column * depth;
        T* to = c + row * ldc + column;
        for (long i = 0; i < rows; ++i)  // another core may have to give it up
          for (long j = 0; j < columns; j += width) __builtin_prefetch(to + i * ldc + j, 1);
        if (rows % std::min(tile_rows, 4) == 0 && columns % width == 0) {
          multiply_tile(rows, packs, depth, from_a, from_b, to, direct, accumulate);
        } else {  // over the edge: into a tile, of which what is inside is copied
          alignas(64) T tile[tile_rows * tile_packs * width];
          multiply_tile(rows, packs, depth, from_a, from_b, tile, staged, false);
          for (long i = 0; i < rows; ++i)
            for (long j = 0; j < columns; ++j) {
              const T sum = tile[i * staged.c_row + j];
              to[i * ldc + j] = accumulate ? to[i * ldc + j] + sum : sum;
            }
        }
      }
  }
}

}  // namespace xgrad::kernels
