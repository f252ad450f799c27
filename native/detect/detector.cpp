#include "detect/detector.h"

#include <ATen/record_function.h>

#include <vector>

#include "core/finite.h"
#include "detect/batches.h"
#include "detect/detector_file.h"

namespace dan::detect {

Scored Detector::score(const at::Tensor& images, const Task& task) const {
  RECORD_USER_SCOPE("detector score");
  std::vector<at::Tensor> maps, scores;
  inBatches(images, settings_.training.batchSize, device_, task, [&](const at::Tensor& batch) {
    const Scored scored = scoreBatch(batch, task);
    maps.push_back(scored.maps.to(at::kCPU, at::kFloat));
    if (scored.scores.defined()) scores.push_back(scored.scores.to(at::kCPU, at::kFloat));
  });
  Scored all = {at::cat(maps), scores.empty() ? at::Tensor() : at::cat(scores)};
  expectFinite(all.maps, "The map of the detector " + settings_.name);
  if (all.scores.defined()) expectFinite(all.scores, "The score of the detector " + settings_.name);
  return all;
}

void Detector::save(const std::string& path, const io::Metadata& metadata) const {
  writeDetector(path, settings_, weights(), metadata);
}

int64_t Detector::bytes() const {
  int64_t bytes = 0;
  for (const auto& [name, tensor] : weights()) bytes += static_cast<int64_t>(tensor.nbytes());
  return bytes;
}

}  // namespace dan::detect
