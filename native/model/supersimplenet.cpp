#include "model/supersimplenet.h"

#include "core/gaussian_filter.h"

namespace dan::model {

at::Tensor joinStages(const std::vector<at::Tensor>& stages) {
  const int64_t height = 2 * stages[0].size(2), width = 2 * stages[0].size(3);
  std::vector<at::Tensor> resized;
  for (const at::Tensor& stage : stages) {
    resized.push_back(at::upsample_bilinear2d(stage, {height, width}, /*align_corners=*/false));
  }
  // The border of zeros counts in the mean, as published.
  return at::avg_pool2d(at::cat(resized, 1), 3, /*stride=*/1, /*padding=*/1);
}

SuperSimpleNet::SuperSimpleNet(const nn::Weights& weights, SuperSimpleWidths widths)
    : adaptor_(weights.scope("adaptor.projection"), widths.features, widths.features, 1) {
  const nn::Weights heads = weights.scope("segdec");
  segmentation_ = nn::Conv2d(heads.scope("seg_head.0"), widths.features, widths.segmentation, 1);
  segmentationNorm_ = nn::BatchNorm2d(heads.scope("seg_head.1"), widths.segmentation);
  mapKernel_ = heads.scope("seg_head.3").take("weight", {1, widths.segmentation, 1, 1});
  classification_ = nn::Conv2d(heads.scope("cls_conv.0"), widths.features + 1, widths.classification, 5, 1, 2);
  classificationNorm_ = nn::BatchNorm2d(heads.scope("cls_conv.1"), widths.classification);
  score_ = nn::Linear(heads.scope("cls_fc"), 2 * widths.classification + 2, 1);
}

at::Tensor SuperSimpleNet::adapt(const at::Tensor& features) const { return adaptor_(features); }

SuperSimpleNet::Output SuperSimpleNet::forward(const at::Tensor& adapted, bool training, bool separateHeads) const {
  constexpr double kNegativeSlope = 0.2;
  // In place, since this is the largest tensor of a step.
  at::Tensor hidden = segmentationNorm_(segmentation_(adapted), training);
  at::leaky_relu_(hidden, kNegativeSlope);
  const at::Tensor map = at::conv2d(hidden, mapKernel_);
  const at::Tensor seen = separateHeads ? map.detach() : map;
  const at::Tensor both = at::relu(classificationNorm_(classification_(at::cat({adapted, seen}, 1)), training));
  const at::Tensor summary = at::cat({both.amax({2, 3}), both.mean({2, 3}), seen.amax({2, 3}), seen.mean({2, 3})}, 1);
  return {map, score_(summary).squeeze(1)};
}

at::Tensor resizeSmoothly(const at::Tensor& maps, int64_t height, int64_t width) {
  constexpr double kSigma = 4;
  constexpr int64_t kRadius = 12;  // three times sigma
  const at::Tensor resized = at::upsample_bilinear2d(maps, {height, width}, /*align_corners=*/false);
  return gaussianBlur(resized, kSigma, kRadius).squeeze(1);
}

}  // namespace dan::model
