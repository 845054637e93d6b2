// Runs a fused program: tile by tile in the first-level cache, blocks of tiles on all threads.
#include <xgrad/core/array/program.hpp>

#include <algorithm>
#include <cstring>
#include <xsimd/xsimd.hpp>

#include <xgrad/core/array/cut.hpp>
#include <xgrad/core/array/pack.hpp>
#include <xgrad/core/array/reduce_tile.hpp>
#include <xgrad/core/base/threads.hpp>

int xgrad::simd_bytes() { return int(xsimd::batch<float>::size * sizeof(float)); }

namespace xgrad::lazy {
namespace {

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

/// Calls f.operator()<kind>().
template <class F>
void with_kind(ReduceKind kind, F f) {
  if (kind == ReduceKind::sum) f.template operator()<ReduceKind::sum>();
  if (kind == ReduceKind::max) f.template operator()<ReduceKind::max>();
  if (kind == ReduceKind::min) f.template operator()<ReduceKind::min>();
}

template <class T>
class Runner {
 public:
  explicit Runner(Program& program)
      : p_(program),
        cut_(cut<T>(program)),
        tile_(tile_length(program)),
        tile_stride_(sums_only(program) ? 0 : tile_ + 16),
        streams_(cut_.size * long(sizeof(T)) * long(p_.stores.size()) > stream_above),
        fetches_(p_.steps.size() > p_.stores.size()),
        threads_(cut_.size * long(p_.steps.size() + 1) > parallel_above
                     ? int(std::min<long>(threads::count(), cut_.blocks))
                     : 1) {
    if (streams_)
      for (auto& step : program.steps) step.non_temporal = is_stored(step.out) && !read_in_a_tile(step.out);
    for (auto& leaf : program.leaves) {
      if (!leaf.dense && leaf.dtype != p_.dtype) convert_all(leaf);
      leaf.data = expanded(leaf);
    }
    take_scratch(program.scratch);
  }

  void run() {
    threads::for_each_on(threads_, cut_.blocks, [this](long b, int thread) { block(b, thread); });
    if (cut_.partial) each_reduction([&]<ReduceKind R>(std::size_t r) { combine_blocks<R>(r); });
  }

 private:
  /// Memory for `count` elements, as long as the program runs.
  T* extra(long count) {
    extra_.push_back(Storage::allocate(std::size_t(count) * sizeof(T)));
    return reinterpret_cast<T*>(extra_.back()->data);
  }
  /// What is broadcast is converted before.
  void convert_all(Program::Leaf& leaf) {
    T* out = extra(leaf.size);
    convert_from(leaf.dtype, leaf.data, 0, leaf.size, out);
    leaf.data = reinterpret_cast<const char*>(out);
    leaf.dtype = p_.dtype;
  }
  /// Where a leaf's elements are read: one repetition of a walk with short runs is expanded first.
  const char* expanded(const Program::Leaf& leaf) {
    const Walk& walk = leaf.walk;
    if (!walk.is_expanded()) return leaf.data;
    const T* data = reinterpret_cast<const T*>(leaf.data);
    const long size = walk.short_dims.size();
    T* out = extra(size);
    for_runs(walk.short_dims, walk.short_strides, 0, size,
             [=](long at, long offset, long, long count) { std::fill_n(out + at, count, data[offset]); });
    return reinterpret_cast<const char*>(out);
  }

  /// bool as the byte that it is: loops over bool are not vectorized.
  template <class E>
  using Byte = std::conditional_t<std::is_same_v<E, bool>, std::uint8_t, E>;
  static void convert_from(DType dtype, const char* from, long first, long n, T* to) {
    dispatch(dtype, [=]<class From>() {
      const auto* in = reinterpret_cast<const Byte<From>*>(from) + first;
      for (long i = 0; i < n; ++i) to[i] = convert<T>(in[i]);
    });
  }
  static void convert_to(DType dtype, const T* from, long first, long n, char* to) {
    dispatch(dtype, [=]<class To>() {
      auto* out = reinterpret_cast<Byte<To>*>(to) + first;
      for (long i = 0; i < n; ++i) out[i] = convert<To>(from[i]);
    });
  }

  /// The accumulators of a block: `count` for each reduction, from that of element `origin` of its walk.
  struct Sums {
    char* scratch;
    long count, origin;

    template <ReduceKind R>
    Accumulator<R, T>* of(std::size_t reduction) const {
      static_assert(sizeof(Accumulator<R, T>) <= sizeof(WideSum<T>));
      return reinterpret_cast<Accumulator<R, T>*>(scratch + bytes(long(reduction) * count));
    }
    static long bytes(long accumulators) { return accumulators * long(sizeof(WideSum<T>)); }
  };
  /// All that the blocks need. Nothing may be missing later: the first block that runs writes over operands.
  void take_scratch(std::vector<char>& tiles) {
    const long reductions = long(p_.reductions.size());
    if (cut_.partial) {
      most_sums_ = round_up(accumulators(p_.reductions[0]), 8);
      sums_ = scratch_for_sums(cut_.blocks * reductions * most_sums_);
      if (p_.reductions[0].walk.is_expanded()) totals_ = scratch_for_sums(p_.reductions[0].shape.size());
    } else if (reductions) {
      const long rows = (cut_.units + cut_.blocks - 1) / cut_.blocks * (cut_.unit / cut_.row);
      most_sums_ = round_up(rows * cut_.sums_of_row, 8);
      sums_ = scratch_for_sums(threads_ * reductions * most_sums_);
    }
    args_bytes_ = round_up(operands() * long(sizeof(Arg)), 64);
    thread_bytes_ = args_bytes_ + round_up(operands() * tile_stride_ * long(sizeof(T)), 64);
    const auto bytes = std::size_t(threads_ * thread_bytes_ + 64);
    if (tiles.size() < bytes) tiles = std::vector<char>(bytes);
    scratch_ = tiles.data() + (64 - reinterpret_cast<std::uintptr_t>(tiles.data()) % 64) % 64;
  }
  static long round_up(long n, long unit) { return (n + unit - 1) / unit * unit; }
  static Ref<Storage> scratch_for_sums(long count) {
    return Storage::allocate(std::size_t(Sums::bytes(count)));
  }
  long operands() const { return long(p_.leaves.size()) + p_.registers; }

  Sums partial_sums(long block) const { return {nth_sums(block), most_sums_, 0}; }
  /// A block's sums: of all results where the blocks' are combined, else of its own.
  Sums sums_of(long b, int thread) const {
    if (cut_.partial) return partial_sums(b);
    if (p_.reductions.empty()) return {};
    return {nth_sums(thread), cut_.first_sum(b + 1) - cut_.first_sum(b), cut_.first_sum(b)};
  }
  char* nth_sums(long i) const {
    return sums_->data + Sums::bytes(i * long(p_.reductions.size()) * most_sums_);
  }
  /// Calls f.operator()<kind>(its number) for each reduction.
  template <class F>
  void each_reduction(F f) const {
    for (std::size_t r = 0; r < p_.reductions.size(); ++r)
      with_kind(p_.reductions[r].kind, [&]<ReduceKind R>() { f.template operator()<R>(r); });
  }

  /// Whether a step writes this operand to a result's memory.
  bool is_stored(int operand) const {
    return std::any_of(p_.stores.begin(), p_.stores.end(), [=, this](auto& store) {
      return store.operand == operand && store.dtype == p_.dtype;
    });
  }
  bool read_in_a_tile(int operand) const {
    for (auto& step : p_.steps)
      if (std::find(step.in, step.in + step.inputs, operand) != step.in + step.inputs) return true;
    return std::any_of(p_.reductions.begin(), p_.reductions.end(),
                       [=](auto& reduce) { return reduce.operand == operand; });
  }

  void block(long b, int thread) const {
    char* own = scratch_ + thread * thread_bytes_;
    Arg* args = reinterpret_cast<Arg*>(own);
    T* tiles = reinterpret_cast<T*>(own + args_bytes_);
    for (long i = 0; i < operands(); ++i) args[i] = {tiles + i * tile_stride_, 1};
    const Sums sums = sums_of(b, thread);
    each_reduction([&]<ReduceKind R>(std::size_t r) {
      std::fill_n(sums.template of<R>(r), sums.count, Accumulator<R, T>());
    });
    for (long first = cut_.begin(b), end = cut_.begin(b + 1); first < end; first += tile_)
      tile(sums, first, std::min(tile_, end - first), args, tiles);
    if (!cut_.partial)
      each_reduction([&]<ReduceKind R>(std::size_t r) {
        T* out = reinterpret_cast<T*>(p_.reductions[r].out) + sums.origin;
        const auto* sum = sums.template of<R>(r);
        for (long i = 0; i < sums.count; ++i) out[i] = result(sum[i]);
      });
    pack::store_fence();
  }

  /// Prefetches the elements of a tile before it is computed: from memory, or from another core, which has to
  /// give them up before they can be written. (g++ drops calls of a function that does only this, unless it
  /// is inline.)
  [[gnu::always_inline]] void fetch(long first, long n) const {
    constexpr long line = 64;
    if (!streams_)
      for (auto& store : p_.stores) {
        const long element = width(store.dtype);
        for (long i = first * element; i < (first + n) * element; i += line)
          __builtin_prefetch(store.out + i, 1);
      }
    for (auto& leaf : p_.leaves)
      if (leaf.dense && (streams_ || !leaf.overwritten)) {
        const long element = width(leaf.dtype);
        for (long i = first * element; i < (first + n) * element; i += line)
          __builtin_prefetch(leaf.data + i, 0);
      }
  }

  void tile(const Sums& sums, long first, long n, Arg* args, T* scratch) const {
    constexpr long lanes = 64 / long(sizeof(T));
    for (std::size_t i = 0; i < p_.leaves.size(); ++i)
      args[i] = load(p_.leaves[i], first, n, scratch + long(i) * tile_stride_);
    for (auto& store : p_.stores)
      if (store.dtype == p_.dtype) args[store.operand].data = reinterpret_cast<T*>(store.out) + first;
    if (fetches_) fetch(first + n, std::min(tile_, cut_.size - first - n));
    for (auto& step : p_.steps) {
      Arg in[max_inputs];
      for (int k = 0; k < step.inputs; ++k) in[k] = args[step.in[k]];
      step.fn(const_cast<void*>(args[step.out].data), in, (n + lanes - 1) / lanes * lanes, step.non_temporal);
    }
    each_reduction([&]<ReduceKind R>(std::size_t r) {
      auto& reduce = p_.reductions[r];
      reduce_tile<R>(reduce.walk, args[reduce.operand], first, n, sums.template of<R>(r), sums.origin);
    });
    for (auto& store : p_.stores)
      if (store.dtype != p_.dtype)
        convert_to(store.dtype, static_cast<const T*>(args[store.operand].data), first, n, store.out);
  }

  Arg load(const Program::Leaf& leaf, long first, long n, T* scratch) const {
    if (leaf.dtype != p_.dtype) {
      convert_from(leaf.dtype, leaf.data, first, n, scratch);
      return {scratch, 1};
    }
    const T* data = reinterpret_cast<const T*>(leaf.data);
    if (leaf.dense) return {data + first, 1};
    Arg arg{scratch, 1};
    for_runs(leaf.walk.dims, leaf.walk.strides, first, n, [&](long at, long offset, long stride, long count) {
      if (stride && count == n && reinterpret_cast<std::uintptr_t>(data + offset) % 64 == 0) {
        arg.data = data + offset;  // in place
      } else if (stride) {
        std::memcpy(scratch + at, data + offset, std::size_t(count) * sizeof(T));
      } else if (count == n) {  // constant in this tile: one pack
        std::fill_n(scratch, 64 / sizeof(T), data[offset]);
        arg.stride = 0;
      } else {
        fill(scratch + at, count, data[offset]);
      }
    });
    return arg;
  }

  /// The blocks' sums, added to those of the first in order, become results.
  template <ReduceKind R>
  void combine_blocks(std::size_t r) const {
    auto& reduce = p_.reductions[r];
    const long count = accumulators(reduce);
    auto* sums = partial_sums(0).template of<R>(r);
    for (long b = 1; b < cut_.blocks; ++b) {
      const auto* more = partial_sums(b).template of<R>(r);
      for (long i = 0; i < count; ++i) sums[i].add(more[i]);
    }
    if (reduce.walk.is_expanded()) {  // elements of a repetition belong to fewer results
      auto* totals = reinterpret_cast<Accumulator<R, T>*>(totals_->data);
      std::fill_n(totals, reduce.shape.size(), Accumulator<R, T>());
      for_runs(reduce.walk.short_dims, reduce.walk.short_strides, 0, count,
               [&](long at, long offset, long, long n) {
                 for (long i = at; i < at + n; ++i) totals[offset].add(sums[i]);
               });
      sums = totals;
    }
    T* out = reinterpret_cast<T*>(reduce.out);
    for (long i = 0; i < reduce.shape.size(); ++i) out[i] = result(sums[i]);
  }

  const Program& p_;
  const Cut cut_;
  const long tile_;
  const long tile_stride_;  // for an operand's tile, and some: tiles apart do not fall on the same cache sets
  const bool streams_;      // results are too large for the caches
  const bool fetches_;      // elsewhere each step stores a result, and the processor looks ahead well enough
  const int threads_;
  long most_sums_ = 0;                      // of one reduction: of a block, or of any block of a thread
  long args_bytes_ = 0, thread_bytes_ = 0;  // of a thread
  char* scratch_ = nullptr;                 // one a thread: its operands, then their tiles
  Ref<Storage> sums_, totals_;
  std::vector<Ref<Storage>> extra_;
};

}  // namespace

void execute(Program& program) {
  dispatch_arithmetic(program.dtype, [&]<class T>() { Runner<T>(program).run(); });
}

}  // namespace xgrad::lazy
