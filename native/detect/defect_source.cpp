#include "detect/defect_source.h"

#include <cmath>
#include <map>

#include "augment/crop_paste.h"
#include "augment/perlin.h"
#include "core/error.h"

namespace dan::detect {

namespace {

// Rows by group and type.
class Rows {
 public:
  explicit Rows(const Strata& strata) {
    std::map<int64_t, std::map<int64_t, std::vector<size_t>>> found;
    for (size_t i = 0; i < strata.groups.size(); ++i) found[strata.groups[i]][strata.types[i]].push_back(i);
    for (const auto& [group, byType] : found) {
      auto& into = rows_.emplace_back();
      for (const auto& [type, rows] : byType) into.push_back(rows);
    }
  }
  size_t draw(Rng& rng) const {
    const auto pick = [&](const auto& list) -> const auto& {
      return list[static_cast<size_t>(rng.below(static_cast<int64_t>(list.size())))];
    };
    return pick(pick(pick(rows_)));
  }

 private:
  std::vector<std::vector<std::vector<size_t>>> rows_;
};

class Pairs : public DefectSource {
 public:
  Pairs(augment::Pool defects, const Strata& strata, bool flips)
      : defects_(std::move(defects)), rows_(strata), types_(strata.types), flips_(flips) {}

  bool hasTypes() const override { return true; }

  Example draw(Rng& rng) const override {
    Example example = take(rng);
    return flips_ ? flipped(std::move(example), rng) : example;
  }

 protected:
  Example take(Rng& rng) const {
    const size_t row = rows_.draw(rng);
    return {augment::toPicture(defects_->images[row]), defects_->masks[row] != 0, types_[row]};
  }

 private:
  augment::Pool defects_;
  Rows rows_;
  std::vector<int64_t> types_;
  bool flips_;
};

class CropPaste : public Pairs {
 public:
  CropPaste(augment::Pool defects, const Strata& strata, augment::Pool good, bool flips)
      : Pairs(std::move(defects), strata, /*flips=*/false), good_(std::move(good)), flips_(flips) {}

  Example draw(Rng& rng) const override {
    const Example defect = take(rng);
    Example onto = {augment::randomPicture(*good_, rng), at::zeros_like(defect.mask), defect.type};
    if (flips_) onto = flipped(std::move(onto), rng);
    onto.good = onto.image.clone();  // The defect is pasted in place.
    augment::cropPaste(defect, onto, rng);
    return onto;
  }

 private:
  augment::Pool good_;
  bool flips_;
};

class Draem : public DefectSource {
 public:
  Draem(augment::Pool good, augment::Pool textures, bool flips)
      : good_(std::move(good)), textures_(std::move(textures)), flips_(flips) {}

  bool hasTypes() const override { return false; }

  Example draw(Rng& rng) const override {
    constexpr int64_t kScales = 6;  // cells along a side: 1 .. 2^5
    constexpr double kThreshold = 0.5, kMaxTransparency = 0.8;
    const int64_t height = good_->height, width = good_->width;
    Example example = {augment::randomPicture(*good_, rng), at::empty({height, width}, at::kBool)};
    if (flips_) example = flipped(std::move(example), rng);
    example.good = example.image;
    const int64_t rows = int64_t{1} << rng.below(kScales), columns = int64_t{1} << rng.below(kScales);
    const at::Tensor noise = augment::perlinNoise(height, width, rows, columns, rng.uniform(0, 2 * M_PI), rng);
    example.mask = noise > kThreshold;
    const at::Tensor texture = drawTexture(height, width, rng);
    const double transparency = rng.uniform(0, kMaxTransparency);
    example.image = at::where(example.mask, at::lerp(texture, example.image, transparency), example.image);
    return example;
  }

 private:
  at::Tensor drawTexture(int64_t height, int64_t width, Rng& rng) const {
    if (!textures_ && rng.coin()) return augment::noiseTexture(height, width, rng);
    at::Tensor texture = augment::randomPicture(textures_ ? *textures_ : *good_, rng);
    if (rng.coin()) texture = at::where(texture >= rng.uniform(), 1 - texture, texture);  // solarised
    texture = texture.pow(std::exp(rng.uniform(-0.7, 0.7))) * rng.uniform(0.8, 1.2) + rng.uniform(-0.3, 0.3);
    if (rng.coin()) texture = texture.flip({rng.coin() ? 1 : 2});
    return at::roll(texture.clamp(0, 1), {rng.below(height), rng.below(width)}, {1, 2});
  }

  augment::Pool good_, textures_;
  bool flips_;
};

}  // namespace

Example flipped(Example example, Rng& rng) { return {augment::flipped(example, rng), example.type, {}}; }

Example drawGood(const augment::PixelPool& good, bool flips, Rng& rng) {
  Example example = {augment::randomPicture(good, rng), at::zeros({good.height, good.width}, at::kBool)};
  if (flips) example = flipped(std::move(example), rng);
  example.good = example.image;
  return example;
}

std::unique_ptr<DefectSource> makeDefectSource(const SourceOptions& options, augment::Pool good, augment::Pool defects,
                                               const Strata& strata, augment::Pool textures) {
  if (good->size() == 0) fail(kDatasetInvalid, "There are no good images to train on");
  if (options.kind == "draem") return std::make_unique<Draem>(std::move(good), std::move(textures), options.flips);
  if (defects->size() == 0) fail(kDatasetInvalid, "There are no images of defects to train on");
  if (options.kind == "pairs") return std::make_unique<Pairs>(std::move(defects), strata, options.flips);
  if (options.kind == "crop-paste") {
    return std::make_unique<CropPaste>(std::move(defects), strata, std::move(good), options.flips);
  }
  fail(kInvalidOption, "Expected pairs, crop-paste or draem for the source of defects but received ", options.kind);
}

}  // namespace dan::detect
