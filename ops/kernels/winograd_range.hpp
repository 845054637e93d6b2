#pragma once
// What Winograd's transforms would spoil, and its way around them.
//
// The error of each result of a tile is a multiple of the largest number of the tile. So a tile is
// transformed only where that is at most `range` times the largest number of each window of 3x3 that a result
// is made of, and where nothing can overflow or underflow; other tiles are computed directly.
#include <vector>

#include "ops/kernels/winograd_plan.hpp"

namespace xgrad::kernels::winograd {

/// Magnitudes as bits (see `magnitude`): bounds of what is transformed, and the ratio that R is.
inline constexpr int least = (127 - 56) << 23, most = (127 + 40) << 23, range = 6 << 23,
                     kernel_range = 12 << 23;

/// Adds the tiles of an image whose numbers differ too much. `largest` has the magnitudes of its pixels over
/// all channels; a tile of 4x4 meets `halo` more rows and columns of them: 2, or 0 for the gradient of the
/// result.
void find_uneven(const int* largest, const Layout& layout, const Block& block, long image, long halo,
                 std::vector<Tile>& tiles);

/// Whether a convolution may transform its kernels.
bool even(const float* weight, long outputs, long inputs, bool backwards);

/// The results of some tiles of a block, directly.
void convolve_tiles(const Plan& plan, const Block& block, const std::vector<Tile>& tiles, const float* x,
                    const float* weight, bool backwards, float* y);

/// Adds what some tiles of a block contribute to the gradient of the weight to gw[tap][out][in],
/// which is empty at first.
void add_tiles(const Plan& plan, const Block& block, const std::vector<Tile>& tiles, const float* g,
               const float* x, std::vector<float>& gw);

}  // namespace xgrad::kernels::winograd
