#pragma once
// Transforms of images: what training varies at random, and the views that testing averages over.
#include <vector>

#include <xgrad/core/array/array.hpp>

namespace xgrad {

/// What is varied at random in each image of a batch: cropped, then mirrored, then cut out. Zeros are those
/// of the batch, after its Pixels: black where they subtract no mean, else the mean colour.
struct Augment {
  /// Whether images are mirrored, left and right exchanged.
  enum class Flip {
    none,    ///< never
    random,  ///< with flip_probability, each time anew
    /// By a coin thrown once for each image; in odd epochs the other way round (Jordan, "94% on CIFAR-10
    /// in 3.29 Seconds on a Single GPU", 2024).
    alternating
  };

  long crop_padding = 0;   ///< pixels added on each side, before a crop of the old size is taken at random
  bool reflect = false;    ///< the padding mirrors the image, its edge not repeated; else it is zeros
  Flip flip = Flip::none;  ///< whether left and right are exchanged
  double flip_probability = .5;  ///< of Flip::random
  /// The side of a square of zeros whose centre is anywhere (DeVries and Taylor, "Improved Regularization of
  /// Convolutional Neural Networks with Cutout", 2017); 0 for none.
  long cutout = 0;
  /// Whether all options are equal.
  bool operator==(const Augment&) const = default;
};

/// What the draws for one image depend on, and nothing else: the seed, the epoch, the image's position in the
/// epoch; the coin of alternating flips on the seed and its index in the Dataset.
struct Draw {
  std::uint64_t seed = 0;  ///< of the Loader
  ///@{
  /// The epoch, counted from 0; the image's position in it, and in the Dataset.
  long epoch = 0, position = 0, index = 0;
  ///@}
};

/// Where the pixels of an augmented image come from.
struct View {
  ///@{
  /// Of the image, for each of the result; -1: zeros.
  std::vector<long> rows, columns;
  ///@}
  ///@{
  /// The first row and column of the square that is cut out of the result.
  long top = 0, left = 0;
  ///@}
  ///@{
  /// The row and the column before which the square ends.
  long bottom = 0, right = 0;
  ///@}
};

/// The view that `draw` fixes of an image of that size. The options must fit it: see check_augment.
View draw_view(const Augment& augment, long height, long width, const Draw& draw);
/// Throws Error unless images of that size can be augmented so.
void check_augment(const Augment& augment, long height, long width);

/// Images f32 (N, C, H, W), left and right exchanged. Throws Error.
Array mirrored(const Array& images);
/// Images f32 (N, C, H, W), moved down by dy pixels and to the right by dx; what comes into view mirrors the
/// image, its edge not repeated. Throws Error unless |dy| < H and |dx| < W.
Array shifted(const Array& images, long dy, long dx);

}  // namespace xgrad
