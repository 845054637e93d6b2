#pragma once
// Gradients limited in size, before an optimizer's step.
#include <xgrad/nn/visit.hpp>

namespace xgrad {

/// Scales all gradients down so that their common norm is at most max_norm; returns the norm before. It
/// neither overflows nor vanishes where the squares would, and a parameter that is given twice counts once.
/// Throws Error that names the parameter, and changes nothing, for a gradient with NaN or inf.
double clip_grad_norm(const Parameters& parameters, double max_norm);
/// Limits every element of the gradients to [-limit, limit], inf too. Throws Error that names the parameter,
/// and changes nothing, for a gradient with NaN.
void clip_grad_value(const Parameters& parameters, double limit);

namespace detail {
/// The square root of the sum of the squares, in double: finite where that is. NaN and inf stay.
double norm(const Variable& x);
}  // namespace detail

}  // namespace xgrad
