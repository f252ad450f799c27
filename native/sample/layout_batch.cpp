#include "sample/layout_batch.h"

#include "dual/background.h"
#include "dual/branch.h"

namespace dan::sample {

namespace {

at::Tensor pixelValues(const Layout& layout) { return (2 * layout.image - 1).unsqueeze(0); }

at::Tensor maskOf(const Layout& layout) { return layout.mask.to(at::kFloat).unsqueeze(0).unsqueeze(0); }

// The rows of one pair.
at::Tensor pairOf(const at::Tensor& rows, size_t pair) {
  return rows.narrow(0, static_cast<int64_t>(pair) * dual::kNumBranches, dual::kNumBranches);
}

}  // namespace

LayoutBatch::LayoutBatch(const model::BaseModel& base, const Layouts& layouts, const std::vector<int64_t>& indices,
                         dual::PartFill fill, int64_t shrink)
    : base_(base), fill_(fill), shrink_(shrink) {
  std::vector<at::Tensor> pixels;
  for (const int64_t index : indices) {
    layouts_.push_back(layouts.draw(index));
    const at::Tensor image = pixelValues(layouts_.back());
    const at::Tensor part = dual::anomalyPart(image, maskOf(layouts_.back()), fill);
    pixels.push_back(dual::packBranches(image, part).to(base.device()));
  }
  pixels_ = at::cat(pixels);
}

const at::Tensor& LayoutBatch::latents() {
  if (latents_.defined()) return latents_;
  std::vector<at::Tensor> latents;
  for (size_t i = 0; i < layouts_.size(); ++i) latents.push_back(encode(pixels(i)));  // one at a time bounds the memory
  return latents_ = at::cat(latents) * base_.vae->config().scalingFactor;
}

at::Tensor LayoutBatch::pixels(size_t row) const { return pairOf(pixels_, row); }

at::Tensor LayoutBatch::encode(const at::Tensor& pixels) const {
  return base_.vae->encode(shrink_ == 1 ? pixels : at::avg_pool2d(pixels, shrink_)).mean.to(at::kFloat);
}

at::Tensor LayoutBatch::encodeBackgrounds() const {
  std::vector<at::Tensor> latents;
  for (const Layout& layout : layouts_) {
    latents.push_back(encode(dual::blackOut(pixelValues(layout), maskOf(layout)).to(base_.device())));
  }
  return at::cat(latents);
}

at::Tensor LayoutBatch::varied(size_t row, const at::Tensor& latents,
                               const std::function<at::Tensor(const at::Tensor& latents)>& decode) const {
  const at::Tensor pixels = this->pixels(row), before = pairOf(latents_, row);
  const at::Tensor& mask = layouts_[row].mask;
  const at::Tensor where = at::stack({softened(mask), mask.to(at::kFloat)}).unsqueeze(1).to(pixels.device());
  at::Tensor change = decode(latents) - decode(before);
  if (shrink_ > 1) change = at::upsample_bilinear2d(change, pixels.sizes().slice(2), /*align_corners=*/false);
  return (pixels + change * where).clamp(-1, 1);
}

at::Tensor LayoutBatch::withCutPart(size_t row, const at::Tensor& pixels) const {
  const at::Tensor image = pixels.narrow(0, dual::kGlobal, 1);
  return dual::packBranches(image, dual::anomalyPart(image, maskOf(layouts_[row]).to(image.device()), fill_));
}

}  // namespace dan::sample
