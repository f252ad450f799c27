#include "io/torch_writer.h"

#include <caffe2/serialize/inline_container.h>

#include <exception>
#include <limits>

#include "core/error.h"
#include "io/atomic_file.h"

namespace dan::io {

namespace {

// This writes the part of pickle protocol 2 that a dict of tensors needs. Integers have 32 bits, which is enough for
// sizes.
class PickleWriter {
 public:
  PickleWriter() { bytes_ = "\x80\x02}("; }

  void tensor(const std::string& name, const std::string& key, const at::Tensor& value) {
    text(name);
    global("torch._utils", "_rebuild_tensor_v2");
    bytes_ += "((";  // the arguments begin with the storage's persistent id
    text("storage");
    global("torch", storageType(value.scalar_type()));
    text(key);
    text("cpu");
    integer(value.numel());
    bytes_ += "tQ";
    integer(0);  // offset
    integers(value.sizes());
    integers(value.strides());
    bytes_ += '\x89';  // requires_grad is false
    global("collections", "OrderedDict");
    bytes_ += ")RtR";
  }
  std::string finish() { return bytes_ + "u."; }

 private:
  static const char* storageType(at::ScalarType dtype) {
    switch (dtype) {
      case at::kFloat:
        return "FloatStorage";
      case at::kHalf:
        return "HalfStorage";
      case at::kBFloat16:
        return "BFloat16Storage";
      default:
        fail(kInvalidOption, "weights of type ", dtype, " are not written as a PyTorch file");
    }
  }
  void little32(uint32_t value) {
    for (int i = 0; i < 4; ++i) bytes_ += static_cast<char>(value >> (8 * i));
  }
  void text(const std::string& value) {
    bytes_ += 'X';
    little32(static_cast<uint32_t>(value.size()));
    bytes_ += value;
  }
  void global(const std::string& module, const std::string& name) { bytes_ += "c" + module + "\n" + name + "\n"; }
  void integer(int64_t value) {
    TORCH_CHECK(value <= std::numeric_limits<int32_t>::max(), "a tensor of ", value, " elements is too large");
    bytes_ += 'J';
    little32(static_cast<uint32_t>(value));
  }
  void integers(at::IntArrayRef values) {
    bytes_ += '(';
    for (const int64_t value : values) integer(value);
    bytes_ += 't';
  }
  std::string bytes_;
};

}  // namespace

void writeTorchFile(const std::string& path, const TensorMap& tensors) {
  AtomicFile file(path);
  // The zip writer finishes its archive in its destructor, so nothing may be thrown through it. We keep a write error
  // (such as a full disk) and rethrow it at the end.
  std::exception_ptr failure;
  caffe2::serialize::PyTorchStreamWriter zip([&](const void* data, size_t size) {
    try {
      if (!failure) file.write(data, size);
    } catch (...) {
      failure = std::current_exception();
    }
    return size;
  });
  PickleWriter pickle;
  std::vector<at::Tensor> contiguous;
  for (const auto& [name, tensor] : tensors) {
    const std::string key = std::to_string(contiguous.size());
    contiguous.push_back(tensor.detach().cpu().contiguous());
    pickle.tensor(name, key, contiguous.back());
  }
  const std::string text = pickle.finish();
  zip.writeRecord("data.pkl", text.data(), text.size());
  for (size_t i = 0; i < contiguous.size(); ++i) {
    zip.writeRecord("data/" + std::to_string(i), contiguous[i].const_data_ptr(), contiguous[i].nbytes());
  }
  zip.writeEndOfFile();
  if (failure) std::rethrow_exception(failure);
  file.commit();
}

}  // namespace dan::io
