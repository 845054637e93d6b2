// Runs a fused program: tile by tile in the first-level cache, blocks of tiles on all threads.
#include "core/program.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <xsimd/xsimd.hpp>

#include "core/pack.hpp"
#include "core/reduce_tile.hpp"
#include "core/threads.hpp"

int xgrad::simd_bytes() { return int(xsimd::batch<float>::size * sizeof(float)); }

namespace xgrad::lazy {
namespace {

// Where nothing is kept from one step to the next: a quarter off the time of x + y, measured.
constexpr long long_tile_size = 8192;
constexpr long max_blocks = 64;
constexpr long parallel_above = 1 << 16;  // elements times steps
constexpr long stream_above = 4 << 20;    // bytes of results that no cache would keep until they are needed

/// Sets n elements, and up to a pack more: all but the first store are aligned.
template <class T>
void fill(T* to, long n, T value) {
  using Pack = xsimd::batch<T>;
  const Pack pack(value);
  pack.store_unaligned(to);
  const std::uintptr_t bytes = sizeof(Pack), start = reinterpret_cast<std::uintptr_t>(to);
  for (T* p = reinterpret_cast<T*>((start / bytes + 1) * bytes); p < to + n; p += Pack::size)
    pack.store_aligned(p);
}

/// The sums that a block keeps.
long accumulators(const Program::Reduce& r) {
  return r.walk.written_out() ? r.walk.short_dims.size() : r.shape.size();
}

/// Whether every step reads leaves as they lie and writes a result: no tile waits in a cache.
bool keeps_nothing(const Program& p) {
  auto plain = [](auto& leaf) {
    return leaf.dense || (leaf.walk.dims.rank() == 1 && leaf.walk.strides[0] == 0);
  };
  return p.steps.size() == p.stores.size() && std::all_of(p.leaves.begin(), p.leaves.end(), plain);
}

/// Whether there are only sums of what lies in memory: a block is one tile.
bool sums_only(const Program& p) {
  return p.steps.empty() &&
         std::all_of(p.leaves.begin(), p.leaves.end(), [](auto& leaf) { return leaf.dense; });
}

/// Elements that go through all steps at a time.
long tile_length(const Program& p) {
  if (p.reductions.empty()) return keeps_nothing(p) ? long_tile_size : tile_size;
  return sums_only(p) ? p.domain.size() : tile_size;
}

/// How the domain is cut: `blocks` ranges of elements, each starting at a multiple of 64 bytes.
struct Cut {
  long blocks, unit, units;  // block b has the units [units * b / blocks, units * (b + 1) / blocks)
  bool partial;              // the blocks' sums must be combined afterwards
  long size;
  long begin(long block) const { return std::min(size, units * block / blocks * unit); }
};

template <class T>
Cut cut(const Program& p) {
  const long size = p.domain.size(), tiles = (size + tile_size - 1) / tile_size;
  if (p.reductions.empty()) return {std::min(tiles, max_blocks), tile_size, tiles, false, size};
  // Leading axes that are kept make rows, whose results are separate: blocks of whole rows need no combining.
  const Shape& out = p.reductions[0].shape;
  const int lead = p.domain.rank() - out.rank();
  long rows = 1;
  for (int i = 0; i < out.rank() && lead == 0 && out[i] == p.domain[i]; ++i) rows *= out[i];
  const long row = size / rows, lanes = 64 / long(sizeof(T)), group = lanes / std::gcd(row, lanes);
  if (const long groups = (rows + group - 1) / group; rows >= 8 * group)
    return {std::min(groups, max_blocks), group * row, groups, false, size};
  const long sums = accumulators(p.reductions[0]);
  return {std::clamp(size / (8 * sums), 1l, std::min(tiles, max_blocks)), tile_size, tiles, true, size};
}

template <class T>
class Runner {
 public:
  explicit Runner(Program& program)
      : p_(program),
        cut_(cut<T>(program)),
        tile_(tile_length(program)),
        room_(sums_only(program) ? 0 : tile_ + 16),
        streams_(cut_.size * long(sizeof(T)) * long(p_.stores.size()) > stream_above),
        fetches_(p_.steps.size() > p_.stores.size()) {
    if (streams_)
      for (auto& step : program.steps) step.past_caches = is_stored(step.out) && !read_in_a_tile(step.out);
    if (!p_.reductions.empty()) stride_ = (accumulators(p_.reductions[0]) + 15) / 16 * 16;
    const long sums = long(p_.reductions.size()) * stride_ * (cut_.partial ? cut_.blocks : 0);
    if (sums) partial_ = Storage::allocate(std::size_t(sums) * sizeof(T));
    for (auto& leaf : program.leaves) leaf.data = reinterpret_cast<const char*>(written_out(leaf));
  }

  void run() {
    if (!cut_.partial)
      for (auto& r : p_.reductions)
        std::fill_n(reinterpret_cast<T*>(r.out), r.shape.size(), identity<T>(r.kind));
    if (cut_.size * long(p_.steps.size() + 1) > parallel_above)
      threads::for_each(cut_.blocks, [this](long b) { block(b); });
    else
      for (long b = 0; b < cut_.blocks; ++b) block(b);
    if (cut_.partial) combine_blocks();
  }

 private:
  /// Where a leaf's elements are read: one repetition of a walk with short runs is written out first.
  const T* written_out(const Program::Leaf& leaf) {
    const T* data = reinterpret_cast<const T*>(leaf.data);
    const Walk& walk = leaf.walk;
    if (!walk.written_out()) return data;
    const long size = walk.short_dims.size();
    repetitions_.push_back(Storage::allocate(std::size_t(size) * sizeof(T)));
    T* out = reinterpret_cast<T*>(repetitions_.back()->data);
    for_runs(walk.short_dims, walk.short_strides, 0, size,
             [=](long at, long offset, long, long count) { std::fill_n(out + at, count, data[offset]); });
    return out;
  }

  T* accumulator(long block, std::size_t reduction) const {
    if (!cut_.partial) return reinterpret_cast<T*>(p_.reductions[reduction].out);
    return reinterpret_cast<T*>(partial_->data) +
           (block * long(p_.reductions.size()) + long(reduction)) * stride_;
  }

  bool is_stored(int operand) const {
    return std::any_of(p_.stores.begin(), p_.stores.end(),
                       [=](auto& store) { return store.operand == operand; });
  }
  bool read_in_a_tile(int operand) const {
    for (auto& step : p_.steps)
      if (std::find(step.in, step.in + step.inputs, operand) != step.in + step.inputs) return true;
    return std::any_of(p_.reductions.begin(), p_.reductions.end(),
                       [=](auto& reduce) { return reduce.operand == operand; });
  }

  void block(long b) const {
    const int leaves = int(p_.leaves.size()), operands = leaves + p_.registers;
    thread_local std::vector<T> scratch;
    thread_local std::vector<Arg> args;
    scratch.resize(std::size_t(operands * room_ + 64));
    T* aligned =
        scratch.data() + (64 - reinterpret_cast<std::uintptr_t>(scratch.data()) % 64) % 64 / sizeof(T);
    args.resize(std::size_t(operands));
    for (int i = 0; i < operands; ++i) args[std::size_t(i)] = {aligned + i * room_, 1};
    if (cut_.partial)
      for (std::size_t r = 0; r < p_.reductions.size(); ++r)
        std::fill_n(accumulator(b, r), accumulators(p_.reductions[r]), identity<T>(p_.reductions[r].kind));
    for (long first = cut_.begin(b), end = cut_.begin(b + 1); first < end; first += tile_)
      tile(b, first, std::min(tile_, end - first), args.data(), aligned);
    pack::end_of_streams();
  }

  /// Lets the elements of a tile come before it is computed: from memory, or from another core, which has to
  /// give them up before they can be written. (g++ drops calls of a function that does only this, unless it
  /// is inline.)
  [[gnu::always_inline]] void fetch(long first, long n) const {
    constexpr long line = 64;
    const long from = first * long(sizeof(T)), to = from + n * long(sizeof(T));
    if (!streams_)
      for (auto& store : p_.stores)
        for (long i = from; i < to; i += line) __builtin_prefetch(store.out + i, 1);
    for (auto& leaf : p_.leaves)
      if (leaf.dense && (streams_ || !leaf.overwritten))
        for (long i = from; i < to; i += line) __builtin_prefetch(leaf.data + i, 0);
  }

  void tile(long b, long first, long n, Arg* args, T* scratch) const {
    constexpr long lanes = 64 / long(sizeof(T));
    for (std::size_t i = 0; i < p_.leaves.size(); ++i)
      args[i] = load(p_.leaves[i], first, n, scratch + long(i) * room_);
    for (auto& store : p_.stores) args[store.operand].data = reinterpret_cast<T*>(store.out) + first;
    if (fetches_) fetch(first + n, std::min(tile_, cut_.size - first - n));
    for (auto& step : p_.steps) {
      Arg in[max_inputs];
      for (int k = 0; k < step.inputs; ++k) in[k] = args[step.in[k]];
      step.fn(const_cast<void*>(args[step.out].data), in, (n + lanes - 1) / lanes * lanes, step.past_caches);
    }
    for (std::size_t r = 0; r < p_.reductions.size(); ++r) {
      auto& reduce = p_.reductions[r];
      T* into = accumulator(b, r);
      const Arg value = args[reduce.operand];
      if (reduce.kind == ReduceKind::sum) reduce_tile<ReduceKind::sum>(reduce.walk, value, first, n, into);
      if (reduce.kind == ReduceKind::max) reduce_tile<ReduceKind::max>(reduce.walk, value, first, n, into);
      if (reduce.kind == ReduceKind::min) reduce_tile<ReduceKind::min>(reduce.walk, value, first, n, into);
    }
  }

  Arg load(const Program::Leaf& leaf, long first, long n, T* room) const {
    const T* data = reinterpret_cast<const T*>(leaf.data);
    if (leaf.dense) return {data + first, 1};
    Arg arg{room, 1};
    for_runs(leaf.walk.dims, leaf.walk.strides, first, n, [&](long at, long offset, long stride, long count) {
      if (stride && count == n && reinterpret_cast<std::uintptr_t>(data + offset) % 64 == 0) {
        arg.data = data + offset;  // as it lies
      } else if (stride) {
        std::memcpy(room + at, data + offset, std::size_t(count) * sizeof(T));
      } else if (count == n) {  // constant in this tile: one pack
        std::fill_n(room, 64 / sizeof(T), data[offset]);
        arg.stride = 0;
      } else {
        fill(room + at, count, data[offset]);
      }
    });
    return arg;
  }

  template <ReduceKind R>
  void combine_blocks(std::size_t r) const {
    using Wide = std::conditional_t<std::is_floating_point_v<T>, double, T>;
    auto& reduce = p_.reductions[r];
    std::vector<Wide> totals(std::size_t(reduce.shape.size()), identity<Wide>(R));
    auto add = [&](long element, long sum) {
      Wide& total = totals[std::size_t(element)];
      for (long b = 0; b < cut_.blocks; ++b) total = combine<R>(total, Wide(accumulator(b, r)[sum]));
    };
    if (reduce.walk.written_out())
      for_runs(reduce.walk.short_dims, reduce.walk.short_strides, 0, accumulators(reduce),
               [&](long at, long offset, long, long count) {
                 for (long i = at; i < at + count; ++i) add(offset, i);
               });
    else
      for (long i = 0; i < reduce.shape.size(); ++i) add(i, i);
    std::copy(totals.begin(), totals.end(), reinterpret_cast<T*>(reduce.out));
  }
  void combine_blocks() const {
    for (std::size_t r = 0; r < p_.reductions.size(); ++r) {
      if (p_.reductions[r].kind == ReduceKind::sum) combine_blocks<ReduceKind::sum>(r);
      if (p_.reductions[r].kind == ReduceKind::max) combine_blocks<ReduceKind::max>(r);
      if (p_.reductions[r].kind == ReduceKind::min) combine_blocks<ReduceKind::min>(r);
    }
  }

  const Program& p_;
  const Cut cut_;
  const long tile_;
  const long room_;     // for an operand's tile, and some: tiles apart do not fall on the same cache sets
  const bool streams_;  // results are too large for the caches
  const bool fetches_;  // elsewhere each step stores a result, and the processor looks ahead well enough
  long stride_ = 0;
  Ref<Storage> partial_;
  std::vector<Ref<Storage>> repetitions_;
};

}  // namespace

void execute(Program& program) {
  switch (program.dtype) {
    case DType::f32:
      return Runner<float>(program).run();
    case DType::f64:
      return Runner<double>(program).run();
    default:
      return Runner<std::int64_t>(program).run();
  }
}

}  // namespace xgrad::lazy
