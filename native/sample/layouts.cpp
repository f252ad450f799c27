#include "sample/layouts.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/random.h"

namespace dan::sample {

namespace {

constexpr double kSmallArea = 0.03;      // of the picture: a defect that would vanish if it was bent or thinned
constexpr double kThinLength = 15;       // widths: of a small defect that is a line, not a speck
constexpr int kMostAttempts = 20;        // to place a defect so that most of it is inside
constexpr double kLeastInside = 0.3;     // of its area
constexpr double kLeastOwnInside = 0.8;  // of it, where it keeps its own picture
constexpr double kRingShare = 1 / 32.;   // of the side: the width of what is around a defect
constexpr double kBendGrid = 8;          // cells along a side over which a defect is bent
constexpr double kMostContrast = 2;
constexpr int64_t kLightGrid = 4;  // points along a side between which light changes smoothly

at::Tensor dilated(const at::Tensor& mask, int64_t radius) {
  const int64_t size = 2 * radius + 1;  // rows, then columns: the same as a square, for a fraction of the work
  const at::Tensor rows = at::max_pool2d(mask.to(at::kFloat).unsqueeze(0), {1, size}, 1, {0, radius});
  return at::max_pool2d(rows, {size, 1}, 1, {radius, 0})[0] > 0;
}

// Three box filters, which come near a Gaussian. x: (C, H, W).
at::Tensor blurred(at::Tensor x, int64_t radius) {
  x = x.unsqueeze(0);
  const int64_t size = 2 * radius + 1;
  for (int i = 0; i < 3; ++i) {
    x = at::avg_pool2d(x, {1, size}, 1, {0, radius}, false, /*count_include_pad=*/false);
    x = at::avg_pool2d(x, {size, 1}, 1, {radius, 0}, false, /*count_include_pad=*/false);
  }
  return x[0];
}

int64_t pixels(double share, int64_t side) {
  return std::max<int64_t>(1, std::llround(share * static_cast<double>(side)));
}

Layout flipped(Layout layout, Draw& draw) {
  if (draw.coin()) layout = {layout.image.flip({2}), layout.mask.flip({1})};
  if (draw.coin()) layout = {layout.image.flip({1}), layout.mask.flip({0})};
  return layout;
}

double shareOf(const at::Tensor& mask) { return mask.to(at::kFloat).mean().item<double>(); }

// How many times as long as wide a straight line is that has the mask's bounding box and area.
double lengthInWidths(const at::Tensor& mask) {
  const at::Tensor where = mask.nonzero(), box = where.amax(0) - where.amin(0) + 1;
  return (box * box).sum().item<double>() / static_cast<double>(where.size(0));
}

// How a defect moves, in pixels and radians about its middle.
struct Motion {
  double down = 0, right = 0, scaleY = 1, scaleX = 1, angle = 0, bend = 0;
};

Motion drawMotion(bool small, int64_t side, Draw& draw) {
  const double reach = static_cast<double>(side) * (small ? 0.5 : 0.12);
  Motion motion;
  motion.down = std::round(draw.uniform(-reach, reach));
  motion.right = std::round(draw.uniform(-reach, reach));
  motion.scaleY = small ? draw.uniform(0.8, 1.4) : draw.uniform(0.7, 1.4);
  motion.scaleX = motion.scaleY * draw.uniform(0.8, 1.25);
  motion.angle = small ? draw.uniform(-0.4, 0.4) : draw.uniform(-0.05, 0.05);
  motion.bend = small ? static_cast<double>(side) * 0.004 : 0;  // grain is straight, which large defects show
  return motion;
}

// A little nearer and off the middle, as another photograph of the same part would be.
Motion drawJitter(int64_t side, Draw& draw) {
  const double reach = static_cast<double>(side) * 0.06;
  Motion motion;
  motion.down = draw.uniform(-reach, reach);
  motion.right = draw.uniform(-reach, reach);
  motion.scaleY = draw.uniform(1, 1.2);
  motion.scaleX = motion.scaleY * draw.uniform(0.9, 1.1);
  motion.angle = draw.uniform(-0.05, 0.05);
  return motion;
}

// Row and column.
std::pair<double, double> middleOf(const at::Tensor& mask) {
  const at::Tensor middle = mask.nonzero().to(at::kFloat).mean(0);
  return {middle[0].item<double>(), middle[1].item<double>()};
}

// A defect that reaches an edge of its picture, which cuts it off, still does where it moves: what is beyond was not
// photographed.
Motion heldAtEdges(Motion motion, const at::Tensor& mask) {
  const auto [middleY, middleX] = middleOf(mask);
  const auto hold = [&](int64_t dim, double middle, double& shift, double& scale) {
    const int64_t side = mask.size(dim), margin = pixels(1 / 64., side);
    const bool low = mask.narrow(dim, 0, margin).any().item<bool>();
    const bool high = mask.narrow(dim, side - margin, margin).any().item<bool>();
    if (low && high) scale = std::max(scale, 1.0);
    if (low) shift = std::min(shift, middle * (scale - 1));
    if (high) shift = std::max(shift, (static_cast<double>(side) - middle) * (1 - scale));
  };
  hold(0, middleY, motion.down, motion.scaleY);
  hold(1, middleX, motion.right, motion.scaleX);
  return motion;
}

// Where each pixel of the moved picture comes from: (1, H, W, 2), as grid_sampler wants it.
at::Tensor gridOf(const Motion& motion, const at::Tensor& mask, Draw& draw) {
  const int64_t height = mask.size(0), width = mask.size(1);
  const auto [middleY, middleX] = middleOf(mask);
  const at::Tensor y = at::arange(height, at::kFloat).view({-1, 1}).expand({height, width}) - (middleY + motion.down);
  const at::Tensor x = at::arange(width, at::kFloat).view({1, -1}).expand({height, width}) - (middleX + motion.right);
  const double cosine = std::cos(motion.angle), sine = std::sin(motion.angle);
  const auto cells = static_cast<int64_t>(kBendGrid);
  const at::Tensor coarse = (draw.uniform({1, 2, cells, cells}) - 0.5) * (motion.bend * std::sqrt(12.0));
  const at::Tensor bend = at::upsample_bicubic2d(coarse, {height, width}, /*align_corners=*/false)[0];
  const at::Tensor fromY = (cosine * y - sine * x) / motion.scaleY + middleY + bend[0];
  const at::Tensor fromX = (sine * y + cosine * x) / motion.scaleX + middleX + bend[1];
  const auto normalized = [](const at::Tensor& at, int64_t side) {
    return (2 * at + 1) / static_cast<double>(side) - 1;
  };
  return at::stack({normalized(fromX, width), normalized(fromY, height)}, -1).unsqueeze(0);
}

// What a moved picture shows between its pixels and where it was not photographed; the values are grid_sampler's.
enum class Interpolation : int64_t { kBilinear = 0, kBicubic = 2 };
enum class Beyond : int64_t { kNothing = 0, kEdge = 1, kMirror = 2 };

at::Tensor gridSampled(const at::Tensor& picture, const at::Tensor& grid, Interpolation between, Beyond beyond) {
  return at::grid_sampler(picture.unsqueeze(0), grid, static_cast<int64_t>(between), static_cast<int64_t>(beyond),
                          /*align_corners=*/false)[0];
}

// Bicubic: what is blurred by moving can be told from photographs, and a detector learns to.
at::Tensor sampled(const at::Tensor& picture, const at::Tensor& grid, Beyond beyond) {
  return gridSampled(picture, grid, Interpolation::kBicubic, beyond).clamp(0, 1);
}

at::Tensor placedMask(const at::Tensor& mask, const at::Tensor& grid, Beyond beyond) {
  return gridSampled(mask.to(at::kFloat).unsqueeze(0), grid, Interpolation::kBilinear, beyond)[0] > 0.5;
}

// The mean of the picture's pixels in `where`, spread smoothly to all others: (3, H, W). What is as smooth as that is
// computed on a smaller picture, in a fraction of the time.
at::Tensor surroundings(const at::Tensor& picture, const at::Tensor& where) {
  constexpr int64_t kSmallRadius = 4;
  const int64_t radius = pixels(1 / 16., picture.size(1)), shrink = std::max<int64_t>(1, radius / kSmallRadius);
  const at::Tensor weight = where.to(at::kFloat).unsqueeze(0) + 1e-4;
  const at::Tensor both = at::avg_pool2d(at::cat({picture * weight, weight}).unsqueeze(0), shrink)[0];
  const at::Tensor spread = blurred(both, radius / shrink);
  const at::Tensor mean = spread.narrow(0, 0, picture.size(0)) / spread.narrow(0, picture.size(0), 1);
  return at::upsample_bilinear2d(mean.unsqueeze(0), picture.sizes().slice(1), /*align_corners=*/false)[0];
}

// As the bias fields of magnetic resonance imaging are put on pictures that shall not teach them (Van Leemput et al.,
// IEEE TMI 18(10), 1999, with points instead of polynomials).
at::Tensor lit(const at::Tensor& picture, double spread, Draw& draw) {
  const at::Tensor points = (draw.uniform({1, 1, kLightGrid, kLightGrid}) - 0.5) * (spread * std::sqrt(12.0));
  const at::Tensor field = at::upsample_bicubic2d(points, picture.sizes().slice(1), /*align_corners=*/false)[0];
  return (picture * field.exp()).clamp(0, 1);
}

// As a photograph of another exposure; cameras clip, too.
at::Tensor exposed(const at::Tensor& picture, double spread, Draw& draw) {
  const double most = spread * std::sqrt(3.0);
  return (picture * std::exp(draw.uniform(-most, most))).clamp(0, 1);
}

at::Tensor meanOf(const at::Tensor& picture, const at::Tensor& where) {
  return (picture * where).sum({1, 2}, true) / where.sum().clamp_min(1);
}

}  // namespace

at::Tensor softened(const at::Tensor& mask) {
  constexpr double kFirm = 1.3;  // so that the mask itself is covered whole
  const at::Tensor wide = dilated(mask.unsqueeze(0), pixels(1 / 128., mask.size(0))).to(at::kFloat);
  return (blurred(wide, 1) * kFirm).clamp(0, 1)[0];
}

Layouts::Layouts(Pool defects, Pool good, LayoutOptions options)
    : defects_(std::move(defects)), good_(std::move(good)), options_(options) {
  if (defects_->size() == 0 || defects_->masks.size() != defects_->images.size()) {
    fail(kDatasetInvalid, "Variations need real pairs with their masks");
  }
  for (const at::Tensor& mask : defects_->masks) {
    if (!mask.any().item<bool>()) fail(kDatasetInvalid, "Variations need masks that are not empty");
  }
  if (good_->size() > 0 && (good_->height != defects_->height || good_->width != defects_->width)) {
    fail(kDatasetInvalid, "Good pictures must be as large as those with defects");
  }
}

Layout Layouts::draw(int64_t index) const {
  Draw draw(makeGenerator(options_.seed, static_cast<uint64_t>(index)));
  const Layout real = drawReal(draw);
  Layout layout = put(real, draw);
  const double spread = shareOf(real.mask) < kSmallArea ? options_.smallLightSpread : options_.lightSpread;
  if (spread > 0) layout.image = lit(layout.image, spread, draw);
  if (options_.exposureSpread > 0) layout.image = exposed(layout.image, options_.exposureSpread, draw);
  return layout;
}

Layout Layouts::put(const Layout& real, Draw& draw) const {
  const bool small = shareOf(real.mask) < kSmallArea;
  const double pasteShare = pasteShareOf(real.mask);
  const bool somewhere = options_.pasteOnDefects || good_->size() > 0;
  if (pasteShare > 0 && somewhere && draw.uniform() < pasteShare) return pasted(real, draw);
  const double ownShare = small ? options_.smallOwnShare : options_.ownShare;
  const bool own = draw.uniform() < ownShare || good_->size() == 0;
  return own ? photographed(real, draw) : moved(real, draw);
}

Layout Layouts::drawReal(Draw& draw) const {
  const auto row = static_cast<size_t>(draw.below(defects_->size()));
  return flipped({toPicture(defects_->images[row]), defects_->masks[row] != 0}, draw);
}

double Layouts::pasteShareOf(const at::Tensor& mask) const {
  if (shareOf(mask) >= kSmallArea) return options_.pasteShare;
  return lengthInWidths(mask) < kThinLength ? options_.smallPasteShare : options_.thinPasteShare;
}

Layout Layouts::onGood(Draw& draw) const {
  const at::Tensor picture = drawPicture(*good_, draw);
  return flipped({picture, at::zeros({height(), width()}, at::kBool)}, draw);
}

Layout Layouts::pasted(const Layout& real, Draw& draw) const {
  // A defect of single pixels can vanish where it is made smaller; half of the attempts do not make it smaller.
  while (true) {
    const Layout layout = options_.pasteOnDefects ? photographed(drawReal(draw), draw) : onGood(draw);
    cropPaste(real, layout, draw, options_.pasteTurns);
    if (layout.mask.any().item<bool>()) return layout;
  }
}

Layout Layouts::photographed(const Layout& real, Draw& draw) const {
  const double light = draw.uniform(0.8, 1.25), area = shareOf(real.mask);
  at::Tensor picture = real.image, mask = real.mask;
  for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
    const at::Tensor grid = gridOf(drawJitter(height(), draw), real.mask, draw);
    // A mirrored ground looks like ground; a mirrored defect is marked as such.
    const at::Tensor placed = placedMask(real.mask, grid, Beyond::kMirror);
    if (shareOf(placed) < kLeastOwnInside * area) continue;
    picture = sampled(real.image, grid, Beyond::kMirror);
    mask = placed;
    break;
  }
  return {(picture * light).clamp(0, 1), mask};
}

Layout Layouts::moved(const Layout& real, Draw& draw) const {
  const Layout ground = onGood(draw);
  const double area = shareOf(real.mask);
  const bool small = area < kSmallArea;
  at::Tensor picture = real.image, mask = real.mask;
  for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
    Motion motion = drawMotion(small, height(), draw);
    if (!small) motion = heldAtEdges(motion, real.mask);
    const at::Tensor grid = gridOf(motion, real.mask, draw);
    const at::Tensor placed = placedMask(real.mask, grid, small ? Beyond::kNothing : Beyond::kEdge);
    if (shareOf(placed) < kLeastInside * area * motion.scaleX * motion.scaleY) continue;
    mask = placed;
    picture = sampled(real.image, grid, Beyond::kEdge);
    break;
  }
  const int64_t ringWidth = pixels(kRingShare, height()), gap = pixels(1 / 128., height());
  at::Tensor ring = dilated(mask.unsqueeze(0), ringWidth)[0] & ~dilated(mask.unsqueeze(0), gap)[0];
  if (!ring.any().item<bool>()) ring = ~mask;
  if (!ring.any().item<bool>()) ring = mask;  // it covers all: nothing is around it but itself
  const double light =
      ((meanOf(ground.image, ring).mean() + 0.04) / (meanOf(picture, ring).mean() + 0.04)).item<double>();
  // A defect that faded would teach a detector to see defects in the grain of good ground.
  const double contrast = options_.movedContrast * draw.uniform(1, 1.4) * std::clamp(light, 1.0, kMostContrast);
  // A small defect stands on what is right beside it, a large one on the new picture's large-scale light.
  const at::Tensor before = small ? surroundings(picture, ring) : meanOf(picture, ring);
  const at::Tensor after = small ? surroundings(ground.image, ring) : blurred(ground.image, pixels(3 / 32., height()));
  const at::Tensor defect = (after + (picture - before) * contrast).clamp(0, 1);
  return {at::lerp(ground.image, defect, softened(mask)), mask};
}

}  // namespace dan::sample
