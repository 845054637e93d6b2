#pragma once
// The cases of tests/edge_cases/cases.json, and their expressions evaluated with the operations of a
// framework.
#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

namespace xgrad::tests::edge_cases {

/// One case. `wrt` names the variables of each differentiation; those of the last may be several, as in
/// "a,b".
struct Case {
  std::string name, expression, dtype;
  std::map<std::string, nlohmann::json> inputs;
  std::vector<std::string> wrt = {};
  std::vector<long> at = {};  // which elements of the result count; all when empty
  std::vector<std::string> expected = {};
  double absolute = 0;
  std::string exception = {};  // why xgrad gives another answer
};

/// A number of the file, where the infinities, NaN and -0 are strings.
inline double number(const nlohmann::json& value) {
  return value.is_string() ? std::stod(value.get<std::string>()) : value.get<double>();
}

/// The elements and the shape of an input.
struct Input {
  std::vector<double> elements;
  std::vector<long> shape;
};
inline Input input(const nlohmann::json& value) {
  Input result;
  if (value.is_array()) {
    for (auto& x : value) result.elements.push_back(number(x));
    result.shape = {long(value.size())};
    return result;
  }
  result.shape = value.at("shape").get<std::vector<long>>();
  long n = 1;
  for (long length : result.shape) n *= length;
  for (long i = 0; i < n; ++i) {
    if (value.contains("repeat"))
      result.elements.push_back(number(value["repeat"][std::size_t(i) % value["repeat"].size()]));
    else
      result.elements.push_back(
          number(i < value.at("count").get<long>() ? value.at("first") : value.at("rest")));
  }
  return result;
}

inline std::vector<Case> cases(const std::string& path) {
  std::ifstream file(path);
  std::vector<Case> all;
  for (auto& entry : nlohmann::json::parse(file)) {
    Case c{entry.at("name"), entry.at("expression"), entry.at("dtype"), entry.at("inputs")};
    c.wrt = entry.value("wrt", c.wrt);
    c.at = entry.value("at", c.at);
    for (auto& x : entry.at("expected"))
      c.expected.push_back(x.is_string() ? x.get<std::string>() : fmt::format("{}", x.get<double>()));
    c.absolute = entry.value("absolute", 0.0);
    c.exception = entry.value("exception", "");
    all.push_back(c);
  }
  return all;
}

/// Whether what a framework gave is right: 1e-5 in f32, 1e-12 in f64, relative; the sign
/// of 0 counts where -0 is expected.
inline bool right(const Case& c, const std::vector<double>& given) {
  if (given.size() != c.expected.size()) return false;
  const double tolerance = c.dtype == "f64" ? 1e-12 : 1e-5;
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (c.expected[i] == "Error") return false;
    const double x = given[i], y = std::stod(c.expected[i]);
    const bool same = std::isnan(y)   ? std::isnan(x)
                      : std::isinf(y) ? x == y
                                      : std::abs(x - y) <= tolerance * std::abs(y) + c.absolute;
    if (!same || (c.expected[i] == "-0" && !std::signbit(x))) return false;
  }
  return true;
}

/// The result of an expression of a case: numbers, or Value, a framework's arrays. Calls are looked up in
/// `functions`.
template <class Value>
class Evaluator {
 public:
  using Any = std::variant<long, double, Value>;
  using Arguments = std::vector<Any>;
  using Functions = std::map<std::string, std::function<Value(const Arguments&)>>;

  Evaluator(const Functions& functions, const std::map<std::string, Value>& variables)
      : functions_(functions), variables_(variables) {}
  Value operator()(const std::string& text) {
    text_ = text;
    at_ = 0;
    const Any result = sum();
    if (at_ != text_.size()) throw std::runtime_error("edge cases: cannot read " + text_);
    return std::get<Value>(result);
  }

 private:
  char next() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  Any sum() {
    Any left = product();
    for (char c = next(); c == '+' || c == '-'; c = next()) {
      ++at_;
      left = call(c == '+' ? "add" : "sub", {left, product()});
    }
    return left;
  }
  Any product() {
    Any left = factor();
    for (char c = next(); c == '*' || c == '/'; c = next()) {
      ++at_;
      left = call(c == '*' ? "mul" : "div", {left, factor()});
    }
    return left;
  }
  Any factor() {
    const char c = next();
    if (c == '-') {
      ++at_;
      const Any inner = factor();
      if (auto* n = std::get_if<long>(&inner)) return -*n;
      if (auto* x = std::get_if<double>(&inner)) return -*x;
      return call("neg", {inner});
    }
    if (c == '(') {
      ++at_;
      const Any inner = sum();
      next();
      ++at_;
      return inner;
    }
    if (std::isdigit(c) || c == '.') return literal();
    std::string name;
    while (std::isalnum(next()) || text_[at_] == '_') name += text_[at_++];
    if (next() != '(') return name == "inf" ? Any(double(INFINITY)) : Any(variables_.at(name));
    Arguments arguments;
    do {
      ++at_;
      arguments.push_back(sum());
    } while (next() == ',');
    ++at_;
    return call(name, arguments);
  }
  Any literal() {
    const std::size_t end = std::min(text_.find_first_not_of("0123456789.e-", at_), text_.size());
    std::string digits = text_.substr(at_, end - at_);
    if (const auto minus = digits.find('-'); minus != std::string::npos && digits[minus - 1] != 'e')
      digits.resize(minus);
    at_ += digits.size();
    if (digits.find_first_of(".e") == std::string::npos) return std::stol(digits);
    return std::stod(digits);
  }
  Any call(const std::string& name, const Arguments& arguments) { return functions_.at(name)(arguments); }

  const Functions& functions_;
  const std::map<std::string, Value>& variables_;
  std::string text_;
  std::size_t at_ = 0;
};

}  // namespace xgrad::tests::edge_cases
