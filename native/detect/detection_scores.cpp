#include "detect/detection_scores.h"

namespace dan::detect {

double MapScorer::add(const std::string& set, const at::Tensor& map, const at::Tensor& mask,
                      std::optional<double> score, int64_t part) {
  auto& images = sets_[set];
  images.emplace_back(map, mask, score, part);
  return metrics::rankPixels({&images.back().pixels}).scores().averagePrecision;
}

metrics::BootstrapResult MapScorer::bootstrap(const Sets& types, const std::string& good,
                                              const metrics::BootstrapOptions& options, const Task& task) const {
  std::vector<metrics::TestedImages> images;
  for (const std::string& type : types) images.push_back(imagesOf({type}));
  return metrics::bootstrapImages(images, imagesOf({good}), options, task);
}

metrics::TestedImages MapScorer::imagesOf(const Sets& sets) const {
  metrics::TestedImages images;
  for (const std::string& name : sets) {
    const auto found = sets_.find(name);
    if (found == sets_.end()) continue;
    for (const auto& image : found->second) images.push_back(&image);
  }
  return images;
}

}  // namespace dan::detect
