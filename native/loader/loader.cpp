// dualanodiff.node opens libtorch and then the engine beside this file. It links to neither, so that a missing or wrong
// libtorch gives our own named error instead of the dynamic linker's.
#include <dlfcn.h>
#include <link.h>
#include <node_api.h>

#include <exception>
#include <mutex>
#include <string>
#include <vector>

#include "core/wait_policy.h"

namespace {

using dan::kSpinCountName;
using dan::userSetsWaitPolicy;
using EngineInit = napi_value (*)(napi_env, napi_value);

napi_value throwError(napi_env env, const char* code, const std::string& message) {
  napi_throw_error(env, code, message.c_str());
  return nullptr;
}

// Opens `path` so that all later libraries see its symbols. On failure `reason` gets the linker's message.
bool openGlobally(const std::string& path, std::string& reason) {
  if (dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL) != nullptr) return true;
  const char* error = dlerror();
  reason = error == nullptr ? "unknown reason" : error;
  return false;
}

// Returns the path of the OpenMP library that this process has open, or "" if there is none.
std::string openedOpenMp() {
  std::string found;
  dl_iterate_phdr(
      [](dl_phdr_info* library, size_t, void* result) {
        const std::string path = library->dlpi_name, name = path.substr(path.rfind('/') + 1);
        for (const char* start : {"libgomp", "libiomp", "libomp"}) {
          if (name.rfind(start, 0) == 0) *static_cast<std::string*>(result) = path;
        }
        return 0;
      },
      &found);
  return found;
}

// This sets the spin count in the environment while OpenMP is opened, since OpenMP reads it only then. JavaScript
// cannot set it, because a worker's process.env is a copy. The destructor removes it, so that the host and its child
// processes never see it.
class WaitPolicy {
 public:
  explicit WaitPolicy(bool set) : set_(set) {
    if (set_) ::setenv(kSpinCountName, dan::spinCount().c_str(), 1);
  }
  ~WaitPolicy() {
    if (set_) ::unsetenv(kSpinCountName);
  }
  WaitPolicy(const WaitPolicy&) = delete;
  WaitPolicy& operator=(const WaitPolicy&) = delete;

 private:
  const bool set_;
};

// Opens libtorch once for the process, whichever Node environment comes first. Returns how OpenMP's threads wait:
// "own", "user", or the path of the OpenMP library that was already open. Returns "" if libtorch cannot be opened.
std::string openLibtorch(const std::string& folder, std::string& reason) {
  static std::mutex mutex;
  static std::string howThreadsWait;
  const std::lock_guard<std::mutex> lock(mutex);
  if (howThreadsWait.empty()) {
    const std::string before = openedOpenMp();
    const bool user = userSetsWaitPolicy();
    const WaitPolicy policy(!user && before.empty());
    for (const char* name : {"libc10.so", "libtorch_cpu.so"}) {
      if (!openGlobally(folder + "/" + name, reason)) return "";
    }
    howThreadsWait = user ? "user" : before.empty() ? "own" : before;
  }
  return howThreadsWait;
}

std::string stringArgument(napi_env env, napi_value value) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) return "";
  std::string text(length, '\0');
  napi_get_value_string_utf8(env, value, text.data(), length + 1, &length);
  return text;
}

// load(libtorchLibFolder: string, enginePath: string) returns the engine's exports. It throws ERR_LIBTORCH_MISSING when
// libtorch cannot be opened, and ERR_LIBTORCH_INCOMPATIBLE when the engine does not fit it.
napi_value loadEngine(napi_env env, napi_callback_info info) {
  napi_value arguments[2];
  size_t count = 2;
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  const std::string folder = stringArgument(env, arguments[0]), engine = stringArgument(env, arguments[1]);
  if (folder.empty() || engine.empty()) return throwError(env, "ERR_INVALID_OPTION", "load(libFolder, enginePath)");

  std::string reason;
  const std::string howThreadsWait = openLibtorch(folder, reason);
  if (howThreadsWait.empty())
    return throwError(env, "ERR_LIBTORCH_MISSING", "libtorch in " + folder + " cannot be opened: " + reason);

  void* library = dlopen(engine.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return throwError(env, "ERR_LIBTORCH_INCOMPATIBLE",
                      "The engine " + engine + " does not fit the libtorch in " + folder + ": " + dlerror());
  }
  const auto init = reinterpret_cast<EngineInit>(dlsym(library, "dualanodiffInit"));
  if (init == nullptr) return throwError(env, "ERR_LIBTORCH_INCOMPATIBLE", engine + " is not the engine");
  napi_value exports;
  napi_create_object(env, &exports);
  napi_value wait;
  napi_create_string_utf8(env, howThreadsWait.c_str(), howThreadsWait.size(), &wait);
  napi_set_named_property(env, exports, "openMpWait", wait);
  return init(env, exports);
}

// A C++ exception must not leave a function that Node called.
napi_value load(napi_env env, napi_callback_info info) {
  try {
    return loadEngine(env, info);
  } catch (const std::exception& error) {
    return throwError(env, "ERR_ENGINE_MISSING", std::string("The engine cannot be opened: ") + error.what());
  }
}

napi_value init(napi_env env, napi_value exports) {
  napi_value function;
  napi_create_function(env, "load", NAPI_AUTO_LENGTH, load, nullptr, &function);
  napi_set_named_property(env, exports, "load", function);
  return exports;
}

}  // namespace

NAPI_MODULE(NODE_GYP_MODULE_NAME, init)
