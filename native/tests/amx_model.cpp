#include "tests/amx_model.h"

#include <cfloat>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace dan::tests {

namespace {

constexpr int kTiles = 8, kRows = 16, kRowBytes = 64;

struct Tiles {
  bool isConfigured = false;
  ops::cpu::AmxConfig config;
  uint8_t data[kTiles][kRows][kRowBytes];
};
thread_local Tiles tiles;

// Some callers are in a signal handler, where nothing may be thrown.
void expect(bool condition, const char* reason) {
  if (condition) return;
  std::printf("FAIL AMX model: %s\n", reason);
  std::fflush(stdout);
  std::abort();
}

int rowsOf(int tile) {
  expect(tiles.isConfigured && tile < kTiles && tiles.config.rows[tile] > 0, "a tile is used without configuration");
  return tiles.config.rows[tile];
}
int bytesOf(int tile) { return tiles.config.bytesOfRow[tile]; }

float widen(uint16_t bfloat16) {
  const uint32_t bits = static_cast<uint32_t>(bfloat16) << 16;
  float value = 0;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

// Denormal operands and results are zeros of the same sign.
float flushed(float x) { return std::fabs(x) < FLT_MIN ? std::copysign(0.0F, x) : x; }

void expectZeroBytes(const uint8_t* bytes, size_t count) {
  for (size_t i = 0; i < count; ++i) expect(bytes[i] == 0, "a reserved byte of the configuration is not zero");
}

}  // namespace

void AmxModel::configure(const ops::cpu::AmxConfig& config) {
  expect(config.palette == 1, "the palette is not 1");
  expectZeroBytes(config.reserved, sizeof(config.reserved));
  for (int tile = 0; tile < 16; ++tile) {
    const bool isThere = tile < kTiles;
    expect(config.bytesOfRow[tile] <= (isThere ? kRowBytes : 0), "a tile has too many bytes in a row");
    expect(config.rows[tile] <= (isThere ? kRows : 0), "a tile has too many rows");
    expect((config.rows[tile] == 0) == (config.bytesOfRow[tile] == 0), "a tile has rows without bytes, or the reverse");
  }
  tiles.isConfigured = true;
  tiles.config = config;
  std::memset(tiles.data, 0, sizeof(tiles.data));
}

void AmxModel::release() {
  tiles.isConfigured = false;
  std::memset(tiles.data, 0, sizeof(tiles.data));
}

void AmxModel::zero(int tile) {
  rowsOf(tile);
  std::memset(tiles.data[tile], 0, sizeof(tiles.data[tile]));
}

void AmxModel::load(int tile, const void* from, int64_t strideBytes) {
  const int rows = rowsOf(tile);
  std::memset(tiles.data[tile], 0, sizeof(tiles.data[tile]));
  for (int r = 0; r < rows; ++r) {
    std::memcpy(tiles.data[tile][r], static_cast<const char*>(from) + r * strideBytes,
                static_cast<size_t>(bytesOf(tile)));
  }
}

void AmxModel::store(int tile, void* to, int64_t strideBytes) {
  for (int r = 0; r < rowsOf(tile); ++r) {
    std::memcpy(static_cast<char*>(to) + r * strideBytes, tiles.data[tile][r], static_cast<size_t>(bytesOf(tile)));
  }
}

void AmxModel::multiplyAdd(int sum, int left, int right) {
  expect(sum != left && sum != right && left != right, "an instruction names a tile twice");
  const int rows = rowsOf(sum), pairs = bytesOf(left) / 4, columns = bytesOf(sum) / 4;
  expect(rowsOf(left) == rows && rowsOf(right) == pairs && bytesOf(right) == bytesOf(sum), "shapes do not fit");
  for (int m = 0; m < rows; ++m) {
    uint16_t a[kRowBytes / 2];
    std::memcpy(a, tiles.data[left][m], sizeof(a));
    float sums[kRowBytes / 4], even[kRowBytes / 4] = {}, odd[kRowBytes / 4] = {};
    std::memcpy(sums, tiles.data[sum][m], sizeof(sums));
    for (int k = 0; k < pairs; ++k) {
      uint16_t b[kRowBytes / 2];
      std::memcpy(b, tiles.data[right][k], sizeof(b));
      const float low = flushed(widen(a[2 * k])), high = flushed(widen(a[2 * k + 1]));
      for (int n = 0; n < columns; ++n) {
        even[n] = flushed(std::fma(low, flushed(widen(b[2 * n])), even[n]));
        odd[n] = flushed(std::fma(high, flushed(widen(b[2 * n + 1])), odd[n]));
      }
    }
    for (int n = 0; n < columns; ++n) sums[n] = flushed(flushed(sums[n]) + flushed(even[n] + odd[n]));
    std::memcpy(tiles.data[sum][m], sums, static_cast<size_t>(bytesOf(sum)));
  }
}

const ops::cpu::AmxProducts kModelProducts = {ops::cpu::configureTiles<ModelTiles>, ModelTiles::release,
                                              ops::cpu::multiplyBlock<ModelTiles, 2>,
                                              ops::cpu::multiplyBlock<ModelTiles, 1>};

}  // namespace dan::tests
