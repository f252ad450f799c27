// Everything that decides how the recipe `augment` draws. These are constants and not options, so that two sets of one
// seed and of the same pictures are the same wherever they are made. docs/evaluation.md has the figures behind them.
#pragma once

namespace dan::augment {

// A defect is small below this share of its picture. A small one keeps its own picture unless it is pasted: moved and
// blended, it would fade into the grain. A large one is moved, which shows a detector more places than its own.
constexpr double kSmallArea = 0.03;

// Three quarters of the pairs are pasted as Crop&Paste does. Detectors learned most from that share where the other
// quarter looks like photographs.
constexpr double kPasteShare = 0.75;

// The standard deviation of the logarithm of the light that falls on a pair: places become a tenth lighter or darker,
// so that a detector does not take uneven light for a defect.
constexpr double kLightSpread = 0.1;

// The standard deviation of the logarithm of a pair's exposure: from two thirds to one and a half times as light, so
// that a detector does not take bright good parts for a defect.
constexpr double kExposureSpread = 0.23;

// How much more a moved defect stands out than it did in its own picture. Without it, detectors missed faint defects
// once more images trained.
constexpr double kMovedContrast = 1.5;

}  // namespace dan::augment
