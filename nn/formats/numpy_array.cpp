// NumPy's bytes become arrays, a tile at a time.
#include <xgrad/nn/formats/numpy_array.hpp>

#include <algorithm>
#include <cstring>

#include <xgrad/ops/shape.hpp>

namespace xgrad::detail {
namespace {

template <class From>
From element(const char* bytes, bool big_endian) {
  char turned[sizeof(From)];
  std::memcpy(turned, bytes, sizeof turned);
  if (big_endian) std::reverse(turned, turned + sizeof turned);
  From value;
  std::memcpy(&value, turned, sizeof value);
  return value;
}

/// Elements of NumPy's type From as those of an array of To.
template <class From, class To>
Array read_as(Reader& in, const Shape& shape, bool big_endian) {
  constexpr bool is_bool = std::same_as<To, bool>;
  Array result(shape, dtype_of<To>);
  if (std::same_as<From, To> && !big_endian) {
    in.read(result.mutable_bytes(), std::uint64_t(result.byte_size()), "an element");
    return result;
  }
  constexpr long tile = 4096;
  char bytes[tile * long(sizeof(From))];
  To* to = result.mutable_data<To>();
  for (long done = 0, size = shape.size(); done < size; done += tile) {
    const long n = std::min(tile, size - done);
    in.read(bytes, std::uint64_t(n) * sizeof(From), "an element");
    for (long i = 0; i < n; ++i) {
      const From value = element<From>(bytes + i * long(sizeof(From)), big_endian);
      if constexpr (is_bool)
        in.expect(value == 0 || value == 1, "element {} is {}, not a bool", done + i, value);
      to[done + i] = xgrad::convert<To>(value);
    }
  }
  return result;
}

}  // namespace

Array read_elements(Reader& in, std::string_view type, const std::vector<long>& shape, bool fortran_order) {
  const char order = type.empty() ? ' ' : type[0];
  const std::string_view what = type.substr(std::min<std::size_t>(1, type.size()));
  const auto known = [&](auto... names) { return ((what == names) || ...); };
  in.expect((order == '<' || order == '>' || order == '|' || order == '=') &&
                known("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "b1"),
            "dtype '{}' cannot be read; float16, float32, float64, integers and bool can",
            type.substr(0, 40));
  in.expect(int(shape.size()) <= max_rank, "has {} axes; at most {} are supported", shape.size(), max_rank);
  const bool turned = fortran_order && shape.size() > 1;
  const Shape stored = turned ? Shape(shape.rbegin(), shape.rend()) : Shape(shape.begin(), shape.end());
  const long from_width = what[1] - '0', to_width = known("f2", "f4", "i4", "u1", "b1") ? from_width : 8;
  check_shape(fmt::format("{}: byte {}", in.name(), in.at()).c_str(), stored, to_width);
  const auto size = std::uint64_t(stored.size());
  if (size * std::uint64_t(from_width) > in.left())
    in.refuse_at(in.at(), "{} bytes are too few for shape {} of {}", in.left(), stored, type);
  in.charge(size * std::uint64_t(turned ? 2 * to_width : to_width),
            "; LoadLimits::unpacked allows more where a file is to be trusted");
  const bool big = order == '>';
  const Array array = known("f2")   ? read_as<Float16, Float16>(in, stored, big)
                      : known("f4") ? read_as<float, float>(in, stored, big)
                      : known("f8") ? read_as<double, double>(in, stored, big)
                      : known("b1") ? read_as<std::uint8_t, bool>(in, stored, big)
                      : known("u1") ? read_as<std::uint8_t, std::uint8_t>(in, stored, big)
                      : known("i1") ? read_as<std::int8_t, std::int64_t>(in, stored, big)
                      : known("i2") ? read_as<std::int16_t, std::int64_t>(in, stored, big)
                      : known("i4") ? read_as<std::int32_t, std::int32_t>(in, stored, big)
                      : known("i8") ? read_as<std::int64_t, std::int64_t>(in, stored, big)
                      : known("u2") ? read_as<std::uint16_t, std::int64_t>(in, stored, big)
                                    : read_as<std::uint32_t, std::int64_t>(in, stored, big);
  // In Fortran order the same bytes are read from the last axis to the first.
  return turned ? transpose(Variable(array)).data() : array;
}

void write_all(const std::function<std::size_t(const char*, std::size_t)>& write, const char* bytes,
               std::size_t n) {
  for (std::size_t taken; n > 0; bytes += taken, n -= taken) {
    taken = write(bytes, n);
    expect(0 < taken && taken <= n, "write: {} of {} bytes were written", taken, n);
  }
}

}  // namespace xgrad::detail
