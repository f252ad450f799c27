// These settings decide the pictures of the recipe `augment`. They are constants and not options, so that the same seed
// and the same pictures give the same set on every machine. docs/evaluation.md has the measurements behind them.
#pragma once

namespace dan::augment {

// A defect is small below this share of its picture. A small defect stays in its own picture unless it is pasted,
// because it would fade into the grain after moving and blending. A large defect is moved, so that a detector sees it
// in more places.
constexpr double kSmallArea = 0.03;

// Three quarters of the pairs are pasted as in Crop&Paste. The other quarter looks like photographs. Detectors learned
// most from this share.
constexpr double kPasteShare = 0.75;

// This is the standard deviation of the logarithm of a pair's light. Places become about a tenth lighter or darker, so
// that a detector does not mistake uneven light for a defect.
constexpr double kLightSpread = 0.1;

// This is the standard deviation of the logarithm of a pair's exposure. Most pairs become between two thirds and one
// and a half times as bright, so that a detector does not mistake bright good places for a defect.
constexpr double kExposureSpread = 0.23;

// The contrast of a moved defect grows by this factor. Without it, detectors with more training images missed faint
// defects.
constexpr double kMovedContrast = 1.5;

}  // namespace dan::augment
