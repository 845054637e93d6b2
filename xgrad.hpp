#pragma once
// xgrad in one include: Variables, all operations, layers, optimizers and the training loop.
#include "core/gradcheck.hpp"
#include "core/mode.hpp"
#include "core/random.hpp"
#include "core/recompute.hpp"
#include "nn/checkpoint.hpp"
#include "nn/layers.hpp"
#include "nn/optim.hpp"
#include "nn/schedule.hpp"
#include "nn/trainer.hpp"
#include "ops/ops.hpp"

/// @namespace xgrad
/// Everything in the headers of core/, ops/, nn/ and datasets/; examples begin with `using namespace xgrad;`.
