#pragma once
// All operations.
#include "ops/activation.hpp"
#include "ops/arithmetic.hpp"
#include "ops/conv.hpp"
#include "ops/index.hpp"
#include "ops/loss.hpp"
#include "ops/math.hpp"
#include "ops/matmul.hpp"
#include "ops/norm.hpp"
#include "ops/pool.hpp"
#include "ops/reduce.hpp"
#include "ops/shape.hpp"
