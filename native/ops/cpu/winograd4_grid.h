// These are the tiles of F(4x4, 3x3) (winograd4.h): which pixels each of them reads and writes.
#pragma once

#include <algorithm>

#include "ops/cpu/ceil_div.h"
#include "ops/cpu/kernels.h"
#include "ops/cpu/winograd.h"

namespace dan::ops::cpu {

// This is a part of the values of each pixel.
struct ValueRange {
  int64_t first, count;
};

// The tiles of all images cover the pixels, and those at the right and lower edges may reach beyond them.
class Winograd4Grid {
 public:
  explicit Winograd4Grid(const ImageShape& shape)
      : shape_(shape),
        across_(ceilDiv(shape.width, kWinograd4Tile)),
        ofImage_(across_ * ceilDiv(shape.height, kWinograd4Tile)) {}

  int64_t tiles() const { return shape_.count * ofImage_; }

  // Calls use(pixels) with some values of the `side` x `side` pixels of a tile that begin `before` pixels left of and
  // above the pixels that it writes. Pixels outside of the image are zeros. A pixel of the images has `depth` values.
  // `scratch` holds side * side * values.count floats.
  template <class Use>
  void read(int64_t tile, int64_t before, int64_t side, const float* images, int64_t depth, ValueRange values,
            float* scratch, const Use& use) const {
    const auto [image, top, left] = placeOf(tile, before);
    const float* data = images + image * shape_.height * shape_.width * depth + values.first;
    if (top >= 0 && left >= 0 && top + side <= shape_.height && left + side <= shape_.width) {
      return use(Winograd4Pixels{data + (top * shape_.width + left) * depth, shape_.width * depth, depth});
    }
    for (int64_t y = top; y < top + side; ++y) {
      for (int64_t x = left; x < left + side; ++x) {
        float* const pixel = scratch + ((y - top) * side + x - left) * values.count;
        if (y < 0 || y >= shape_.height || x < 0 || x >= shape_.width) {
          std::fill_n(pixel, values.count, 0.0F);
        } else {
          std::copy_n(data + (y * shape_.width + x) * depth, values.count, pixel);
        }
      }
    }
    use(Winograd4Pixels{scratch, side * values.count, values.count});
  }

  // Calls make(pixels, rowStride, columnStride), which writes some values of the tile's 4 x 4 pixels, or adds to them
  // with `accumulate`, and keeps those inside of the image. `scratch` holds 16 * values.count floats.
  template <class Make>
  void write(int64_t tile, float* images, int64_t depth, ValueRange values, bool accumulate, float* scratch,
             const Make& make) const {
    const auto [image, top, left] = placeOf(tile, 0);
    float* const data = images + ((image * shape_.height + top) * shape_.width + left) * depth + values.first;
    const int64_t rows = std::min<int64_t>(shape_.height - top, kWinograd4Tile);
    const int64_t columns = std::min<int64_t>(shape_.width - left, kWinograd4Tile);
    if (rows == kWinograd4Tile && columns == kWinograd4Tile) return make(data, shape_.width * depth, depth);
    const auto forEach = [&](const auto& copy) {
      for (int64_t y = 0; y < rows; ++y) {
        for (int64_t x = 0; x < columns; ++x)
          copy(data + (y * shape_.width + x) * depth, scratch + (y * kWinograd4Tile + x) * values.count);
      }
    };
    if (accumulate) forEach([&](const float* pixel, float* kept) { std::copy_n(pixel, values.count, kept); });
    make(scratch, kWinograd4Tile * values.count, values.count);
    forEach([&](float* pixel, const float* kept) { std::copy_n(kept, values.count, pixel); });
  }

 private:
  struct Place {
    int64_t image, top, left;
  };
  Place placeOf(int64_t tile, int64_t before) const {
    const int64_t inImage = tile % ofImage_;
    return {tile / ofImage_, inImage / across_ * kWinograd4Tile - before, inImage % across_ * kWinograd4Tile - before};
  }

  ImageShape shape_;
  int64_t across_, ofImage_;
};

}  // namespace dan::ops::cpu
