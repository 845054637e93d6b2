#pragma once
// xgrad in one include: Variables, all operations, layers, models, optimizers, data sets, files and training.
// Apart are what an elementwise operation of your own needs (core/tape/elementwise.hpp), bridges to xtensor
// (ops/xtensor.hpp), the networks of papers (nn/models) and folders of runs (nn/run/run_folder.hpp).
#include <fmt/core.h>

#include <xgrad/core/array/create.hpp>
#include <xgrad/core/array/random.hpp>
#include <xgrad/core/base/error.hpp>
#include <xgrad/core/base/threads.hpp>
#include <xgrad/core/tape/anomaly.hpp>
#include <xgrad/core/tape/gradcheck.hpp>
#include <xgrad/core/tape/graph.hpp>
#include <xgrad/core/tape/mode.hpp>
#include <xgrad/core/tape/print.hpp>
#include <xgrad/core/tape/recompute.hpp>
#include <xgrad/datasets/cifar.hpp>
#include <xgrad/datasets/csv.hpp>
#include <xgrad/datasets/image.hpp>
#include <xgrad/datasets/loader.hpp>
#include <xgrad/datasets/mnist.hpp>
#include <xgrad/datasets/synthetic.hpp>
#include <xgrad/nn/clip.hpp>
#include <xgrad/nn/describe.hpp>
#include <xgrad/nn/formats/checkpoint.hpp>
#include <xgrad/nn/formats/numpy.hpp>
#include <xgrad/nn/functional_call.hpp>
#include <xgrad/nn/layers.hpp>
#include <xgrad/nn/optim.hpp>
#include <xgrad/nn/run/interrupt.hpp>
#include <xgrad/nn/run/trainer.hpp>
#include <xgrad/nn/schedule.hpp>
#include <xgrad/nn/summary.hpp>
#include <xgrad/ops/ops.hpp>

/// @namespace xgrad
/// Everything in the headers of core/, ops/, nn/ and datasets/; examples begin with `using namespace xgrad;`.
