#include "place/window_latents.h"

#include <algorithm>

#include "augment/blending.h"
#include "core/error.h"
#include "core/finite.h"
#include "dual/branch.h"

namespace dan::place {

namespace {

// A real defect gets this contrast to its new surroundings, because a faint one can vanish in the noise.
constexpr double kContrast = 1.2;
// The contrast follows the light of the ground between these factors.
constexpr double kMinLight = 0.6, kMaxLight = 1.6;
// An attempt selects its own noise; see streamOf.
constexpr int64_t kMaxIndex = int64_t{1} << 40, kMaxAttempt = int64_t{1} << 12;

void expectSize(const at::Tensor& image, const PlaceOptions& options, const char* name) {
  const int64_t height = options.sample.height, width = options.sample.width;
  if (image.defined() && image.size(0) == height && image.size(1) == width) return;
  fail(kInvalidOption, "Expected ", width, " x ", height, " pixels for the window's ", name, " but received ",
       image.defined() ? c10::str(image.size(1), " x ", image.size(0)) : "none");
}

void expectBelow(int64_t value, int64_t limit, const char* name) {
  if (value >= 0 && value < limit) return;
  fail(kInvalidOption, "Expected 0 to ", limit - 1, " for the window's ", name, " but received ", value);
}

// Returns the photograph with the real defect in its own contrast to its surroundings.
augment::MarkedPicture layoutOf(const PlaceWindow& window) {
  const augment::MarkedPicture defect{augment::toPicture(window.defectImage), window.defectMask != 0};
  const at::Tensor ground = augment::toPicture(window.photograph);
  const double light = std::clamp(augment::lightRatio(defect, ground), kMinLight, kMaxLight);
  return augment::blendedWith(defect, ground, kContrast * light);
}

}  // namespace

void checkWindow(const PlaceWindow& window, const PlaceOptions& options, bool needsForeground) {
  expectBelow(window.index, kMaxIndex, "index");
  expectBelow(window.attempt, kMaxAttempt, "attempt");
  expectSize(window.photograph, options, "photograph");
  expectSize(window.place, options, "place");
  if (!window.place.any().item<bool>()) {
    fail(kInvalidOption, "Expected a place with open pixels for window ", window.index, " but received an empty one");
  }
  if (options.strength < 1) {
    if (!window.defectImage.defined()) {
      fail(kInvalidOption, "Expected a real defect for window ", window.index, " but received none: with strength ",
           options.strength, ", below 1, sampling starts from one");
    }
    expectSize(window.defectImage, options, "defect");
    expectSize(window.defectMask, options, "defect mask");
    if (!window.defectMask.any().item<bool>()) {
      fail(kInvalidOption, "Expected a mask that marks the defect of window ", window.index,
           " but received an empty one");
    }
  }
  if (needsForeground != window.foreground.defined()) {
    fail(kInvalidOption, "The adapter was trained with", needsForeground ? "" : "out",
         " background compensation: windows must have ", needsForeground ? "a" : "no", " foreground");
  }
  if (needsForeground) expectSize(window.foreground, options, "foreground");
}

sample::GroundInputs encodeWindows(const model::BaseModel& base, PartFill fill, const PlaceOptions& options,
                                   const std::vector<PlaceWindow>& windows, const Task& task) {
  // Windows are encoded one by one, so that their latents do not depend on the batch. Returns (1, 4, h, w), scaled.
  const auto encode = [&base](const at::Tensor& pixelValues) {
    return base.vae->encode(pixelValues.to(base.device())).mean * base.vae->config().scalingFactor;
  };
  const int64_t height = options.sample.height, width = options.sample.width,
                downscale = base.vae->config().downscale();
  const at::Tensor blankPart = base.plainLatents(blankValue(fill), height, width);
  std::vector<at::Tensor> places, known, masked, layouts;
  for (const PlaceWindow& window : windows) {
    task.checkCancelled();
    const at::Tensor photograph = toPixelValues(window.photograph.unsqueeze(0));
    const at::Tensor open = (window.place != 0).to(at::kFloat).unsqueeze(0).unsqueeze(0);
    places.push_back(at::max_pool2d(open, downscale));
    known.push_back(encode(photograph));
    known.push_back(blankPart);
    if (base.isInpainting()) {
      masked.push_back(encode(photograph * (1 - open)));
      masked.push_back(blankPart);
    }
    if (options.strength < 1) {
      const augment::MarkedPicture layout = layoutOf(window);
      const at::Tensor image = (2 * layout.image - 1).unsqueeze(0);
      layouts.push_back(encode(image));
      layouts.push_back(encode(anomalyPart(image, layout.mask.to(at::kFloat).unsqueeze(0).unsqueeze(0), fill)));
    }
  }
  sample::GroundInputs ground;
  ground.strength = options.strength;
  ground.place = at::cat(places).to(base.device());
  ground.latents = at::cat(known);
  if (!masked.empty()) ground.maskedLatents = at::cat(masked);
  if (!layouts.empty()) ground.layout = at::cat(layouts);
  for (const at::Tensor& latents : {ground.latents, ground.maskedLatents, ground.layout}) {
    if (latents.defined()) expectFinite(latents, model::kVaeEncoder);
  }
  return ground;
}

}  // namespace dan::place
