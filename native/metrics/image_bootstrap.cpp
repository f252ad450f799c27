#include "metrics/image_bootstrap.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>

#include "core/random.h"
#include "core/rng.h"
#include "metrics/undefined.h"

namespace dan::metrics {

namespace {

// Returns about `count` scores that part the given ones into classes of like size, in rising order.
std::vector<float> quantiles(std::vector<float> scores, size_t count) {
  std::sort(scores.begin(), scores.end());
  std::vector<float> edges;
  for (size_t i = 0; i < count && !scores.empty(); ++i) edges.push_back(scores[i * scores.size() / count]);
  return edges;
}

// Half of the limits between classes follow the scores of good pixels and half those of defects, because defects are
// few.
std::vector<float> classLimits(const TestedImages& images) {
  constexpr size_t kSampled = 1 << 20, kClasses = 1024;
  size_t allGood = 0, allDefects = 0;
  for (const auto* image : images) {
    allGood += image->pixels.good.size();
    allDefects += image->pixels.defects.size();
  }
  const size_t goodStride = allGood / kSampled + 1, defectStride = allDefects / kSampled + 1;
  std::vector<float> good, defects;
  for (const auto* image : images) {
    for (size_t i = 0; i < image->pixels.good.size(); i += goodStride) good.push_back(image->pixels.good[i]);
    for (size_t i = 0; i < image->pixels.defects.size(); i += defectStride) {
      defects.push_back(image->pixels.defects[i].score);
    }
  }
  std::vector<float> limits = quantiles(std::move(good), kClasses);
  const std::vector<float> more = quantiles(std::move(defects), kClasses);
  limits.insert(limits.end(), more.begin(), more.end());
  std::sort(limits.begin(), limits.end());
  limits.erase(std::unique(limits.begin(), limits.end()), limits.end());
  return limits;
}

// The pixels of one or several images by class: defects, good ones, and the shares of regions.
struct Counts {
  explicit Counts(size_t classes) : defects(classes), good(classes), overlap(classes) {}
  std::vector<double> defects, good, overlap;  // A float would count no further than 2^24.
  double regions = 0;

  void add(const Counts& other, double times) {
    for (size_t i = 0; i < good.size(); ++i) defects[i] += times * other.defects[i];
    for (size_t i = 0; i < good.size(); ++i) good[i] += times * other.good[i];
    for (size_t i = 0; i < good.size(); ++i) overlap[i] += times * other.overlap[i];
    regions += times * other.regions;
  }
  RankingScores scores() const {
    double allDefects = 0, allGood = 0;
    for (size_t i = 0; i < good.size(); ++i) {
      allDefects += defects[i];
      allGood += good[i];
    }
    RankingCurve curve(allDefects, allGood, regions);
    for (size_t i = good.size(); i-- > 0;) curve.step(static_cast<double>(i), defects[i], good[i], overlap[i]);
    return curve.scores();
  }
};

Counts countPixels(const RankedPixels& pixels, const std::vector<float>& limits) {
  Counts counts(limits.size() + 1);
  size_t at = 0;
  const auto classOf = [&](float score) {
    while (at < limits.size() && limits[at] <= score) ++at;
    return at;
  };
  for (const float score : pixels.good) counts.good[classOf(score)] += 1;
  at = 0;
  for (const auto& [score, regionSize] : pixels.defects) {
    const size_t place = classOf(score);
    counts.defects[place] += 1;
    counts.overlap[place] += 1.0 / static_cast<double>(regionSize);
  }
  counts.regions = static_cast<double>(pixels.regions);
  return counts;
}

// An image with the number of the set that it belongs to: a type, or the good images, which are the last set.
struct Member {
  const TestedImage* image;
  size_t set;
};

// Measures the images of two sets, or of all of them. `members` are in falling order of their scores.
RankingScores imagesOf(const std::vector<Member>& members, const std::vector<int64_t>& times,
                       const std::function<bool(size_t)>& isIn) {
  double defects = 0, good = 0;
  for (size_t i = 0; i < members.size(); ++i) {
    if (isIn(members[i].set)) (members[i].image->isDefect() ? defects : good) += static_cast<double>(times[i]);
  }
  RankingCurve curve(defects, good, 0);
  for (size_t i = 0; i < members.size();) {
    const double score = members[i].image->score;
    double defectsHere = 0, goodHere = 0;
    for (; i < members.size() && members[i].image->score == score; ++i) {
      if (!isIn(members[i].set)) continue;
      (members[i].image->isDefect() ? defectsHere : goodHere) += static_cast<double>(times[i]);
    }
    curve.step(score, defectsHere, goodHere, 0);
  }
  return curve.scores();
}

// Draws the parts of each set and returns how often each image is drawn.
class PartDraws {
 public:
  PartDraws(const std::vector<Member>& members, size_t sets, uint64_t seed)
      : members_(members), parts_(sets), random_(makeGenerator(seed)) {
    std::map<int64_t, size_t> owner;  // The first set that shows a part.
    for (const auto& [image, set] : members) {
      const auto [found, isNew] = owner.try_emplace(image->part, set);
      if (!isNew) found->second = std::min(found->second, set);
    }
    for (const auto& [part, set] : owner) parts_[set].push_back(part);
  }
  std::vector<int64_t> next() {
    std::map<int64_t, int64_t> drawn;
    for (const auto& parts : parts_) {
      const std::vector<int64_t> shape = {static_cast<int64_t>(parts.size())};
      const at::Tensor places = (random_.uniform(shape) * shape[0]).to(at::kLong).clamp_max(shape[0] - 1);
      for (int64_t i = 0; i < shape[0]; ++i) ++drawn[parts[static_cast<size_t>(places.data_ptr<int64_t>()[i])]];
    }
    std::vector<int64_t> times;
    for (const auto& [image, set] : members_) {
      const auto found = drawn.find(image->part);
      times.push_back(found == drawn.end() ? 0 : found->second);
    }
    return times;
  }

 private:
  const std::vector<Member>& members_;
  std::vector<std::vector<int64_t>> parts_;
  Rng random_;
};

// Collects the values of the measures over the replicates.
class Replicates {
 public:
  void add(const DetectionScores& scores) {
    for (size_t m = 0; m < kDetectionScores.size(); ++m) values_[m].push_back(scores.*kDetectionScores[m].value);
  }
  Intervals intervals(double level) const {
    Intervals all;
    for (size_t m = 0; m < all.size(); ++m) all[m] = interval(values_[m], level);
    return all;
  }
  static Intervals none() {
    Intervals all;
    all.fill({kNaN, kNaN});
    return all;
  }

 private:
  static Interval interval(std::vector<double> values, double level) {
    values.erase(std::remove_if(values.begin(), values.end(), [](double value) { return std::isnan(value); }),
                 values.end());
    if (values.empty()) return {kNaN, kNaN};
    std::sort(values.begin(), values.end());
    const auto at = [&](double share) {
      const double place = share * static_cast<double>(values.size() - 1);
      const auto below = static_cast<size_t>(place);
      const size_t above = std::min(below + 1, values.size() - 1);
      return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
    };
    return {at((1 - level) / 2), at((1 + level) / 2)};
  }

  std::array<std::vector<double>, kDetectionScores.size()> values_;
};

// The mean of each measure over the types that have it.
DetectionScores meanOf(const std::vector<DetectionScores>& types) {
  DetectionScores mean;
  for (const auto& [name, value] : kDetectionScores) {
    double sum = 0, known = 0;
    for (const auto& scores : types) {
      if (std::isnan(scores.*value)) continue;
      sum += scores.*value;
      known += 1;
    }
    mean.*value = known > 0 ? sum / known : kNaN;
  }
  return mean;
}

bool hasTwoParts(const TestedImages& images) {
  std::set<int64_t> parts;
  for (const auto* image : images) parts.insert(image->part);
  return parts.size() > 1;
}

}  // namespace

BootstrapResult bootstrapImages(const std::vector<TestedImages>& types, const TestedImages& good,
                                const BootstrapOptions& options, const Task& task) {
  const size_t goodSet = types.size();
  std::vector<Member> members;
  for (size_t set = 0; set < types.size(); ++set) {
    for (const auto* image : types[set]) members.push_back({image, set});
  }
  for (const auto* image : good) members.push_back({image, goodSet});
  std::stable_sort(members.begin(), members.end(),
                   [](const Member& a, const Member& b) { return a.image->score > b.image->score; });
  TestedImages all;
  for (const auto& member : members) all.push_back(member.image);
  const std::vector<float> limits = classLimits(all);
  std::vector<Counts> counts;
  for (const auto* image : all) {
    task.checkCancelled();
    counts.push_back(countPixels(image->pixels, limits));
  }
  PartDraws draws(members, types.size() + 1, options.seed);
  std::vector<Replicates> replicates(types.size() + 2);
  for (int64_t r = 0; r < options.replicates; ++r) {
    task.checkCancelled();
    const std::vector<int64_t> times = draws.next();
    std::vector<Counts> sums(types.size() + 1, Counts(limits.size() + 1));
    for (size_t i = 0; i < members.size(); ++i) {
      if (times[i] > 0) sums[members[i].set].add(counts[i], static_cast<double>(times[i]));
    }
    Counts total = sums[goodSet];
    std::vector<DetectionScores> scores;
    for (size_t set = 0; set < types.size(); ++set) {
      total.add(sums[set], 1);
      sums[set].add(sums[goodSet], 1);
      const RankingScores images = imagesOf(members, times, [&](size_t one) { return one == set || one == goodSet; });
      scores.push_back(detectionScores(sums[set].scores(), images));
      replicates[set].add(scores.back());
    }
    replicates[types.size()].add(meanOf(scores));
    const RankingScores images = imagesOf(members, times, [](size_t) { return true; });
    replicates[types.size() + 1].add(detectionScores(total.scores(), images));
  }
  BootstrapResult result;
  bool areAllKnown = hasTwoParts(good);
  for (size_t set = 0; set < types.size(); ++set) {
    const bool isKnown = hasTwoParts(types[set]) && hasTwoParts(good);
    result.types.push_back(isKnown ? replicates[set].intervals(options.level) : Replicates::none());
    areAllKnown = areAllKnown && isKnown;
  }
  result.average = areAllKnown ? replicates[types.size()].intervals(options.level) : Replicates::none();
  result.together =
      hasTwoParts(good) && hasTwoParts(all) ? replicates.back().intervals(options.level) : Replicates::none();
  return result;
}

}  // namespace dan::metrics
