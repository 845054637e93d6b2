#pragma once
// What Winograd's transforms would spoil, and its way around them.
//
// The error of each result of a tile follows the largest number of the tile. So a tile is transformed only
// where it is even: where no window of 3x3 that a result is made of is without a number of about that size,
// and where nothing can overflow or underflow. Other tiles are computed directly. docs/architecture.md has
// the bounds.
#include <vector>

#include <xgrad/ops/kernels/winograd_plan.hpp>

namespace xgrad::kernels::winograd {

// As bits (see `magnitude`), where 1 << 23 is a factor of 2:
inline constexpr int least = (127 - 56) << 23, most = (127 + 40) << 23;  // of what is transformed
inline constexpr int range = 6 << 23;                                    // R, of the windows of a tile
inline constexpr int kernel_range = 12 << 23;                            // of the taps of a channel's kernels

/// Adds the tiles of an image that are not even. `largest` has the magnitudes of its pixels over
/// all channels; a tile of 4x4 meets `halo` more rows and columns of them: 2, or 0 for the gradient of the
/// result.
void find_uneven(const int* largest, const Layout& layout, const Block& block, long image, long halo,
                 std::vector<Tile>& tiles);

/// Whether the taps of the kernels that make each of the result's channels are near enough to each other.
/// `largest` has their magnitudes for each block of 16x16 channels, as [tap][output] over the block's
/// inputs; or backwards, where the result's channels are the inputs, as [input][tap] over its outputs.
bool even(const int* largest, long output_blocks, long input_blocks, bool backwards);

/// The results of some tiles of a block, directly.
void convolve_tiles(const Plan& plan, const Block& block, const std::vector<Tile>& tiles, const float* x,
                    const float* weight, bool backwards, float* y);

/// Adds what some tiles of a block contribute to the gradient of the weight to gw[tap][out][in],
/// which is empty at first.
void add_tiles(const Plan& plan, const Block& block, const std::vector<Tile>& tiles, const float* g,
               const float* x, std::vector<float>& gw);

}  // namespace xgrad::kernels::winograd
