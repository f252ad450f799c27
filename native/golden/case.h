// A case of a golden manifest has inputs, expected outputs and tolerances.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/tensor_map.h"

namespace dan::golden {

class Case {
 public:
  // `folder` is the folder of the manifest; `entry` is one of its cases. The engine computes on `device`.
  Case(std::string folder, const nlohmann::json& entry, at::Device device);

  const std::string& name() const { return name_; }
  const std::string& kind() const { return kind_; }
  const nlohmann::json& params() const { return params_; }
  std::string path(const std::string& relative) const { return folder_ + "/" + relative; }
  // The case itself names this file.
  std::string filePath() const { return path(file_); }
  at::Device device() const { return device_; }
  // On the device.
  at::Tensor input(const std::string& name) const { return tensor(name).to(device_); }
  at::Tensor hostInput(const std::string& name) const { return tensor(name); }
  bool hasInput(const std::string& name) const;
  bool hasOutput(const std::string& name) const;
  const std::vector<std::string>& outputs() const { return outputs_; }

  // Compares a result with the expected output `name`: |a - b| <= atol + rtol |b|. The shapes must be equal, and values
  // must be finite in both or in neither.
  void expect(const std::string& name, const at::Tensor& actual);
  // Compares two numbers in the same way. The manifest itself contains the expected one.
  void expectNumber(const std::string& name, double actual, double expected, double atol, double rtol);
  void fail(const std::string& reason);

  // Throws if an output that the manifest lists was never compared.
  void finish() const;
  bool passed() const { return failures_.empty(); }
  const std::string& failures() const { return failures_; }
  double maxAbsolute() const { return maxAbsolute_; }
  double maxRelative() const { return maxRelative_; }

 private:
  at::Tensor tensor(const std::string& name) const;
  at::Device device_;
  std::string folder_, name_, kind_, file_, failures_;
  nlohmann::json params_;
  std::vector<std::string> inputs_, outputs_;
  std::map<std::string, bool> compared_;
  double atol_, rtol_, maxAbsolute_ = 0, maxRelative_ = 0;
};

struct Handler {
  std::function<void(Case&)> run;
  bool onDevice = false;  // If false, the engine does this on the host, whatever the device is.
};
constexpr bool kOnDevice = true;

// The key is the kind of case. Each file of this folder adds its own handlers.
using Handlers = std::map<std::string, Handler>;
void addModelHandlers(Handlers& handlers);
void addDetectorHandlers(Handlers& handlers);
void addDiffusionHandlers(Handlers& handlers);
void addDualHandlers(Handlers& handlers);
void addEvaluationHandlers(Handlers& handlers);
void addFeatureHandlers(Handlers& handlers);
void addFileHandlers(Handlers& handlers);
void addPlaceHandlers(Handlers& handlers);

}  // namespace dan::golden
