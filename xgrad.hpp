#pragma once
// xgrad in one include: Variables, all operations, layers, optimizers and the training loop.
#include <xgrad/core/array/random.hpp>
#include <xgrad/core/base/exception.hpp>
#include <xgrad/core/tape/gradcheck.hpp>
#include <xgrad/core/tape/mode.hpp>
#include <xgrad/core/tape/recompute.hpp>
#include <xgrad/nn/clip.hpp>
#include <xgrad/nn/formats/checkpoint.hpp>
#include <xgrad/nn/layers.hpp>
#include <xgrad/nn/optim.hpp>
#include <xgrad/nn/run/trainer.hpp>
#include <xgrad/nn/schedule.hpp>
#include <xgrad/ops/ops.hpp>

/// @namespace xgrad
/// Everything in the headers of core/, ops/, nn/ and datasets/; examples begin with `using namespace xgrad;`.
