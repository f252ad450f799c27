// The layouts of one batch on their way through the autoencoder, and what denoising made of them.
#pragma once

#include <functional>
#include <vector>

#include "dual/anomaly_part.h"
#include "model/base_model.h"
#include "sample/layouts.h"

namespace dan::sample {

class LayoutBatch {
 public:
  // Draws the layouts of these pairs, for a model that works at a `shrink`-th of their size. `base` must outlive this
  // object.
  LayoutBatch(const model::BaseModel& base, const Layouts& layouts, const std::vector<int64_t>& indices,
              dual::PartFill fill, int64_t shrink);

  // (B * 2, 4, h, w), scaled. Encoded at the first call: pairs that stay as their layouts are need none.
  const at::Tensor& latents();
  // The layouts with their defects black, for background compensation: (B, 4, h, w), not scaled.
  at::Tensor encodeBackgrounds() const;

  const at::Tensor& mask(size_t row) const { return layouts_[row].mask; }
  // Layout `row` as it is: image and part, (2, 3, H, W) in [-1, 1].
  at::Tensor pixels(size_t row) const;
  // Layout `row` with what denoising changed, decoded, where the defect is; `latents`: (2, 4, h, w). What the
  // autoencoder loses of a picture stays, and so do all pixels off the defect. As `pixels`. Needs latents().
  at::Tensor varied(size_t row, const at::Tensor& latents,
                    const std::function<at::Tensor(const at::Tensor& latents)>& decode) const;
  // The same for an adapter that draws no parts: the part is cut out of the image.
  at::Tensor withCutPart(size_t row, const at::Tensor& pixels) const;

 private:
  // Mean of the latents of pictures that are as large as the layouts.
  at::Tensor encode(const at::Tensor& pixels) const;

  const model::BaseModel& base_;
  dual::PartFill fill_;
  int64_t shrink_;
  std::vector<Layout> layouts_;
  at::Tensor pixels_;   // (B * 2, 3, H, W) in [-1, 1]
  at::Tensor latents_;  // (B * 2, 4, h, w), once they were asked for
};

}  // namespace dan::sample
