// For sampling we merge an adapter into the weights: LoRA per branch, and SAIM as three products per pair of tokens
// instead of ten. DualUnet is the plain form. Folding uses float32, which leaves SAIM's term 1.05e-6 (relative norm)
// from the exact one. In float64 it would be 1.0e-6 and double the time from loading to the first step.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "dual/adapter.h"

namespace dan::dual {

// These are the matrices of SaimFold, laid out for one block of tokens per branch.
struct FoldedSaim {
  nn::LayerNorm norm;  // in the precision of the rest
  at::Tensor stacked;  // (2 C, C): A and B
  at::Tensor values;   // (C, C): B, a view of stacked
  at::Tensor c, b;     // (C)
  FoldedSaim(const Saim& saim, at::ScalarType dtype);
  // attended: (2, T, C). SAIM's term is added in place.
  void addTo(at::Tensor& attended) const;
};

struct FoldedLayer {
  at::Tensor q;             // (2, C, C), one matrix per branch, for multiplication from the right
  at::Tensor kv;            // (2, D, 2 C): keys and values
  at::Tensor qkv;           // (2, C, 3 C); in self-attention, q and kv are views of it
  at::Tensor out, outBias;  // (2, C, C), (C)
  FoldedSaim saim;
  std::optional<BackgroundMixer> background;
};

class FoldedAdapter {
 public:
  // The weights have the UNet's precision. `onFolded` gets the name of each layer as soon as the adapter's own form of
  // it is not needed any more.
  FoldedAdapter(const model::Unet& unet, const Adapter& adapter,
                const std::function<void(const std::string&)>& onFolded = {});
  const FoldedLayer& layer(const std::string& name) const { return layers_.at(name); }
  BackgroundMode backgroundMode() const { return backgroundMode_; }

 private:
  BackgroundMode backgroundMode_;
  std::map<std::string, FoldedLayer> layers_;
};

}  // namespace dan::dual
