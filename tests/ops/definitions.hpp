#pragma once
// How an op is held against its definition: value, first and second gradient, and the same bits on any number
// of threads.
#include <xgrad/core/tape/gradcheck.hpp>

namespace xgrad::tests {

/// The value of f, its gradients for weights w, and the gradients of their weighted sum: by the inputs, and
/// by w.
std::vector<Array> derivatives(const TestFunction& f, const std::vector<Array>& inputs);
/// "" when all derivatives of f are those of the definition within tolerance max(1, |.|), else what differs
/// first.
std::string disagreement(const TestFunction& f, const TestFunction& definition,
                         const std::vector<Array>& inputs, double tolerance = 1e-9);
/// "" when all derivatives have the same bits on 1, 2 and 3 threads, in f64 and f32.
std::string thread_dependence(const TestFunction& f, const std::vector<Array>& inputs);
std::vector<Array> as(std::vector<Array> arrays, DType dtype);
/// f64 arrays, normally distributed.
std::vector<Array> draw_normal(const std::vector<Shape>& shapes, std::uint64_t seed = 1);

}  // namespace xgrad::tests
