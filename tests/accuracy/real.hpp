#pragma once
// Numbers of 200 bits, by MPFR: what results are compared with.
#include <mpfr.h>

#include <utility>

namespace xgrad::tests {

class Real {
 public:
  Real(double x = 0) { mpfr_init2(v_, 200), mpfr_set_d(v_, x, MPFR_RNDN); }
  Real(const Real& other) { mpfr_init2(v_, 200), mpfr_set(v_, other.v_, MPFR_RNDN); }
  Real& operator=(const Real& other) {
    mpfr_set(v_, other.v_, MPFR_RNDN);
    return *this;
  }
  ~Real() { mpfr_clear(v_); }
  explicit operator double() const { return mpfr_get_d(v_, MPFR_RNDN); }
  explicit operator float() const { return mpfr_get_flt(v_, MPFR_RNDN); }
  /// The exponent e of |x| = m 2^e with m in [1, 2).
  long exponent() const { return long(mpfr_get_exp(v_)) - 1; }

  static Real power_of_two(long k) {
    Real y = 1;
    mpfr_mul_2si(y.v_, y.v_, k, MPFR_RNDN);
    return y;
  }

  /// f of MPFR applied to numbers.
  template <class F, class... More>
  static Real by(F f, const Real& x, const More&... more) {
    Real y;
    f(y.v_, x.v_, more.v_..., MPFR_RNDN);
    return y;
  }
  friend Real operator+(const Real& a, const Real& b) { return by(mpfr_add, a, b); }
  friend Real operator-(const Real& a, const Real& b) { return by(mpfr_sub, a, b); }
  friend Real operator*(const Real& a, const Real& b) { return by(mpfr_mul, a, b); }
  friend Real operator/(const Real& a, const Real& b) { return by(mpfr_div, a, b); }
  friend Real operator-(const Real& x) { return by(mpfr_neg, x); }
  friend bool operator<(const Real& a, const Real& b) { return mpfr_less_p(a.v_, b.v_); }
  friend bool operator==(const Real& a, const Real& b) { return mpfr_equal_p(a.v_, b.v_); }
  friend bool is_nan(const Real& x) { return mpfr_nan_p(x.v_); }
  friend bool is_inf(const Real& x) { return mpfr_inf_p(x.v_); }

  friend Real abs(const Real& x) { return x < 0 ? -x : x; }
  friend Real max(const Real& a, const Real& b) { return a < b ? b : a; }
  friend Real exp(const Real& x) { return Real::by(mpfr_exp, x); }
  friend Real expm1(const Real& x) { return Real::by(mpfr_expm1, x); }
  friend Real log(const Real& x) { return Real::by(mpfr_log, x); }
  friend Real log1p(const Real& x) { return Real::by(mpfr_log1p, x); }
  friend Real sqrt(const Real& x) { return Real::by(mpfr_sqrt, x); }
  friend Real sin(const Real& x) { return Real::by(mpfr_sin, x); }
  friend Real cos(const Real& x) { return Real::by(mpfr_cos, x); }
  friend Real tanh(const Real& x) { return Real::by(mpfr_tanh, x); }
  friend Real sech(const Real& x) { return Real::by(mpfr_sech, x); }
  friend Real erf(const Real& x) { return Real::by(mpfr_erf, x); }
  friend Real erfc(const Real& x) { return Real::by(mpfr_erfc, x); }
  friend Real pow(const Real& x, const Real& y) { return Real::by(mpfr_pow, x, y); }

 private:
  mpfr_t v_;
};

/// The circle's number.
inline Real pi() {
  static const Real value = Real::by(mpfr_acos, Real(-1));
  return value;
}

}  // namespace xgrad::tests
