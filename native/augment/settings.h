// These settings decide the pictures of the recipe `augment`. They are constants and not options, so that the same seed
// and the same pictures give the same set on every machine. docs/evaluation.md has the measurements behind them.
#pragma once

namespace dan::augment {

// A defect is small below this share of its picture. Moved and blended into another one it could vanish, so it keeps
// its own picture unless it is pasted. A large one is moved, which teaches a detector the outlines of real defects.
constexpr double kSmallArea = 0.03;

// This share of the pairs is pasted as Crop&Paste does. Large defects that are moved cost a detector small ones, and
// with all of them pasted it misses large ones; with three quarters it found most on average.
constexpr double kPasteShare = 0.75;

// The standard deviation of the logarithm of the light that falls on a pair: places become a tenth lighter or darker,
// so that a detector does not take uneven light for a defect. At twice that, it found fewer defective images.
constexpr double kLightSpread = 0.1;

// The standard deviation of the logarithm of a pair's exposure: most are from two thirds to one and a half times as
// light, so that a detector does not take bright good parts for a defect.
constexpr double kExposureSpread = 0.23;

// A moved defect stands out so many times as much as in its own picture. Without it, detectors missed small defects
// where more images trained.
constexpr double kMovedContrast = 1.5;

}  // namespace dan::augment
