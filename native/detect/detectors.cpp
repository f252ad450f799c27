// This is the table of all detectors.
#include "detect/cfa_detector.h"
#include "detect/detector_file.h"
#include "detect/devnet_detector.h"
#include "detect/dra_detector.h"
#include "detect/draem_detector.h"
#include "detect/efficient_ad_detector.h"
#include "detect/patchcore_detector.h"
#include "detect/rd4ad_detector.h"
#include "detect/supersimplenet_detector.h"
#include "detect/unet_detector.h"

namespace dan::detect {

namespace {

enum class Needs { kGoodImages, kDefectsToo };

struct Kind {
  const char* name;
  Needs needs;
  std::unique_ptr<Detector> (*make)(const DetectorSettings&, FitData, at::Device);
  std::unique_ptr<Detector> (*load)(const DetectorSettings&, const nn::Weights&);
};

template <class T>
constexpr Kind kind(const char* name, Needs needs) {
  return {name, needs,
          [](const DetectorSettings& settings, FitData data, at::Device device) -> std::unique_ptr<Detector> {
            return std::make_unique<T>(settings, std::move(data), device);
          },
          [](const DetectorSettings& settings, const nn::Weights& weights) -> std::unique_ptr<Detector> {
            return std::make_unique<T>(settings, weights);
          }};
}

// A new detector adds a line here, and one in lib/options/names.ts.
constexpr Kind kKinds[] = {
    kind<UnetDetector>("unet", Needs::kDefectsToo),
    kind<PatchcoreDetector>("patchcore", Needs::kGoodImages),
    kind<DraemDetector>("draem", Needs::kGoodImages),
    kind<DraemDetector>("draem-sspcab", Needs::kGoodImages),
    kind<SuperSimpleNetDetector>("supersimplenet", Needs::kGoodImages),
    kind<CfaDetector>("cfa", Needs::kGoodImages),
    kind<Rd4adDetector>("rd4ad", Needs::kGoodImages),
    kind<EfficientAdDetector>("efficientad", Needs::kGoodImages),
    kind<DevnetDetector>("devnet", Needs::kDefectsToo),
    kind<DraDetector>("dra", Needs::kDefectsToo),
};

// Returns null for an unknown name.
const Kind* kindOf(const std::string& name) {
  for (const Kind& kind : kKinds) {
    if (name == kind.name) return &kind;
  }
  return nullptr;
}

std::string names() {
  std::string all;
  for (const Kind& kind : kKinds) all += (all.empty() ? "" : ", ") + std::string(kind.name);
  return all;
}

}  // namespace

std::unique_ptr<Detector> makeDetector(const DetectorSettings& settings, FitData data, at::Device device) {
  const Kind* kind = kindOf(settings.name);
  if (kind == nullptr) {
    fail(kInvalidOption, "Expected one of ", names(), " for the detector but received ", settings.name);
  }
  if (!data.good || data.good->size() == 0) fail(kDatasetInvalid, "There are no good images to fit a detector on");
  if (kind->needs == Needs::kDefectsToo && !data.defects) {
    fail(kDatasetInvalid, "The detector ", settings.name, " learns from defects, but there are none");
  }
  return kind->make(settings, std::move(data), device);
}

std::unique_ptr<Detector> loadDetector(const std::string& path, at::Device device) {
  const DetectorFile file = readDetector(path);
  const Kind* kind = kindOf(file.settings.name);
  if (kind == nullptr) {
    fail(kWeightsInvalid, path, " holds the detector ", file.settings.name, "; this version of dualanodiff knows ",
         names());
  }
  const nn::Weights weights = nn::Weights::fromTensors(file.tensors, path, at::kFloat, device);
  try {
    std::unique_ptr<Detector> detector = kind->load(file.settings, weights);
    weights.expectAllTaken();
    return detector;
  } catch (const CoreError& error) {
    // The settings come from the file, not from the user.
    if (error.code == kInvalidOption) fail(kWeightsInvalid, path, " is a damaged detector: ", error.what());
    throw;
  }
}

}  // namespace dan::detect
