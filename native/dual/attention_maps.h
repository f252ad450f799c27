// These maps show where the anomaly branch looks, and give a mask without a mask model. They are its cross-attention to
// the prompt's words, refined by its self-attention and averaged over heads, layers and denoising steps (DualAnoDiff
// section 3.4, after arXiv 2309.14303 equation 4).
#pragma once

#include <vector>

#include "nn/attention.h"

namespace dan::dual {

class AttentionMaps {
 public:
  // Collects maps for `pairs` pairs of h x w latents. `words` are the positions of the prompt's words among the text
  // tokens.
  AttentionMaps(int64_t pairs, int64_t height, int64_t width, std::vector<int64_t> words);

  // Adds one layer of one step: the anomaly branch's queries (pairs, L, C) and keys (pairs, Lk, C).
  void add(const nn::AttentionLayer& layer, const at::Tensor& q, const at::Tensor& k);

  int64_t pairs() const { return pairs_; }
  // Returns (pairs, height, width) in [0, 1], each map stretched to the full range. A map is the mean self-attention
  // times the mean cross-attention, taken as the distance from its median (the background) and enlarged bilinearly.
  at::Tensor maps(int64_t height, int64_t width) const;

 private:
  struct Grid {
    int64_t height, width;
  };
  // Returns the grid of the level with this number of tokens.
  Grid gridOf(int64_t tokens) const;

  int64_t pairs_, height_, width_;
  std::vector<int64_t> words_;
  Grid grid_;                // All maps are resized to the finest grid of at most kMaxTokens tokens.
  at::Tensor cross_, self_;  // sums: (pairs, 1, grid), (pairs, grid tokens, grid tokens)
  int64_t crossCount_ = 0, selfCount_ = 0;
};

// Returns softmax(q k' / sqrt(width of a head)), (N, heads, L, Lk) float32.
at::Tensor attentionProbabilities(const at::Tensor& q, const at::Tensor& k, int64_t heads);

}  // namespace dan::dual
