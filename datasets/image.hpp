#pragma once
// Pictures: read from PNG and JPEG, brought to a size, laid out side by side, written as PNG.
#include <string>
#include <vector>

#include <xgrad/core/array/array.hpp>

namespace xgrad {

/// Pictures of more pixels are neither read nor made.
inline constexpr long max_image_pixels = 100'000'000;

/// The picture in a PNG or JPEG file, u8 (3, H, W): red, green, blue. Grey becomes three equal channels, what
/// is transparent is laid over white, 16 bits are cut to 8, and a photograph stands as its Exif orientation
/// says. Throws Error that names the file and what is wrong with it: it cannot be read, is not a picture, is
/// truncated or damaged, states more than max_pixels or more than its bytes can hold, or comes in more than
/// 100 scans. All of this is checked before the picture is decoded, which takes about six bytes a pixel.
Array load_image(const std::string& file, long max_pixels = max_image_pixels);

/// A u8 (1 | 3, H, W) picture as the bytes of a PNG file. Throws Error when it is none.
std::string png_bytes(const Array& image);
/// Writes png_bytes(image) to a file, by way of replace_file.
void save_png(const std::string& file, const Array& image);

/// u8 (C, H, W) -> u8 (C, height, width). Along an axis that shrinks each pixel is the mean over what it
/// covers, along one that grows it lies between the two nearest (bilinear, the edge repeated). Throws Error.
Array resize(const Array& image, long height, long width);

/// How a picture becomes a square: stretched, cut to the square in its middle, or on a white ground.
enum class Aspect { stretch, crop, pad };

/// u8 (C, H, W) -> u8 (C, size, size). Throws Error.
Array fit(const Array& image, long size, Aspect aspect);

/// Pictures of one shape u8 (C, H, W), row by row on a white ground, with `gap` pixels between them. Throws
/// Error when there are none or their shapes differ.
Array contact_sheet(const std::vector<Array>& images, long columns, long gap);

}  // namespace xgrad
