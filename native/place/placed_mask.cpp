#include "place/placed_mask.h"

#include <ATen/record_function.h>

#include <algorithm>

#include "core/connected_regions.h"
#include "mask/part_masker.h"
#include "place/paste_back.h"

namespace dan::place {

namespace {

// A pixel is clear from this distance of the part from its blank ground, or from this change, as a share of the range.
constexpr double kClearPart = 0.12, kClearChange = 0.16;
// The defect ends where its change, as a mean of neighbours, falls below a share of the largest mean nearby: the model
// also changes the grain beside it a little, and nobody would count that as the defect. "Nearby" is a share of the
// window's side. The whole window would be too much, because a crack may be faint on lighter ground.
constexpr double kShareOfStrength = 0.25, kNearby = 1 / 4.;
// The mask grows by at most this share of the window's side away from its seeds.
constexpr double kReach = 1 / 16.;
// A pixel with fewer marked pixels among itself and its neighbours is a speck. The ends of a line are regrown.
constexpr double kSpeck = 3;
// Gaps up to twice this share of the window's side are closed. The change is small where the ground happens to be as
// dark as the defect, and an annotator would draw one region there.
constexpr double kGap = 1 / 64.;
// A region is small below this number of pixels, or this share of the largest region's. It is weak if its largest
// change is below this share of the largest of all.
constexpr double kSmallArea = 4, kSmallShare = 0.02, kWeak = 0.5;

// Counts the marked pixels of each 3 x 3 neighbourhood. mask: (H, W) bool.
at::Tensor neighbours(const at::Tensor& mask) {
  return at::avg_pool2d(mask.to(at::kFloat).unsqueeze(0), 3, 1, 1)[0] * 9;
}

// Grows the seeds by `reach` pixels through `allowed`.
at::Tensor grown(at::Tensor seeds, const at::Tensor& allowed, int64_t reach) {
  for (int64_t i = 0; i < reach; ++i) seeds = (neighbours(seeds) > 0.5) & allowed;
  return seeds;
}

// Closes gaps of up to 2 * reach pixels. Beyond the edges everything counts as marked, so that nothing is lost there.
at::Tensor closed(const at::Tensor& mask, int64_t reach) {
  const auto widest = [&](const at::Tensor& of) {
    return at::max_pool2d(of.to(at::kFloat).unsqueeze(0), 2 * reach + 1, 1, reach)[0] > 0.5;
  };
  return ~widest(~widest(mask));
}

// Returns where the change is strong beside that of the seeds at most `reach` pixels away. change: (H, W); seeds: (H,
// W) bool.
at::Tensor strongEnough(const at::Tensor& change, const at::Tensor& seeds, int64_t reach) {
  const at::Tensor mean =
      at::avg_pool2d(change.unsqueeze(0), 3, 1, 1, /*ceil_mode=*/false, /*count_include_pad=*/false);
  const at::Tensor rows = at::max_pool2d(mean * seeds, {1, 2 * reach + 1}, 1, {0, reach});
  const at::Tensor strength = at::max_pool2d(rows, {2 * reach + 1, 1}, 1, {reach, 0});
  return (mean >= kShareOfStrength * strength)[0];
}

// Drops the regions that are small and weak, because nobody would see a defect there. mask: (H, W) bool; change: (H,
// W).
at::Tensor withoutWeakSpecks(const at::Tensor& mask, const at::Tensor& change) {
  const auto regions = connectedRegions(mask);
  size_t largest = 0;
  for (const auto& region : regions) largest = std::max(largest, region.size());
  const double small = std::max(kSmallArea, kSmallShare * static_cast<double>(largest));
  const double weak = kWeak * (change * mask).max().item<double>();
  at::Tensor kept = mask.clone();
  for (const auto& region : regions) {
    const at::Tensor pixels = at::tensor(region);
    const bool isWeak = change.flatten().index_select(0, pixels).max().item<double>() < weak;
    if (isWeak && static_cast<double>(region.size()) < small) kept.view(-1).index_fill_(0, pixels, false);
  }
  return kept;
}

}  // namespace

at::Tensor placedMask(const DrawnDefect& drawn) {
  RECORD_USER_SCOPE("find the mask of a placed defect");
  const at::Tensor change = drawn.change.abs().amax(-1) / 2;  // of the range
  const at::Tensor visible = (change >= kVisible) & drawn.place;
  const at::Tensor distance = mask::distanceFromFill(drawn.part, drawn.fill);
  const at::Tensor seeds = ((distance >= kClearPart) | (change >= kClearChange)) & visible;
  const auto pixelsOf = [&](double share) {
    return std::max<int64_t>(2, static_cast<int64_t>(share * static_cast<double>(change.size(0))));
  };
  const int64_t reach = pixelsOf(kReach);
  const at::Tensor ofDefect = visible & strongEnough(change, seeds, pixelsOf(kNearby));
  const at::Tensor all = grown(seeds & ofDefect, ofDefect, reach);
  const at::Tensor found = grown(all & (neighbours(all) >= kSpeck - 0.5), all, reach);
  const at::Tensor whole = closed(found, pixelsOf(kGap)) & drawn.place;
  const at::Tensor filled = withoutHoles(whole, mask::kLargestHole) & drawn.place;
  return withoutWeakSpecks(filled, change).to(at::kByte).mul(255).contiguous();
}

}  // namespace dan::place
