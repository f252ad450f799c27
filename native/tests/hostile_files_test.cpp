// Some files are made to use much memory, and some files change while they are read.
#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "core/error.h"
#include "io/atomic_file.h"
#include "io/torch_file.h"
#include "io/weights_file.h"
#include "tests/test.h"
#include "tests/test_pickle.h"

namespace dan::tests {

namespace {

namespace fs = std::filesystem;

void writeHostile(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// The value comes from /proc/self/status, in bytes.
size_t memoryOf(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(field + ":", 0) == 0) return std::stoull(line.substr(field.size() + 1)) << 10;
  }
  failTest("/proc/self/status lacks " + field);
}

// Returns the growth of the process's peak memory during `body`.
size_t peakOf(const std::function<void()>& body) {
  // This resets the peak to the present size.
  std::ofstream("/proc/self/clear_refs") << "5";
  const size_t before = memoryOf("VmRSS");
  body();
  return std::max(memoryOf("VmHWM"), before) - before;
}

// A sanitizer needs several times the memory of the readers.
#ifdef __SANITIZE_THREAD__
constexpr size_t kFewBytes = 1600u << 20;
#else
constexpr size_t kFewBytes = 400u << 20;
#endif

void expectRefusedInLittleMemory(const std::string& path, const std::string& bytes, const std::string& reason) {
  writeHostile(path, bytes);
  const size_t peak = peakOf([&] { expectError([&] { io::readTorchFile(path); }, reason); });
  if (peak > kFewBytes) failTest(c10::str(bytes.size(), " bytes take ", peak, " bytes of memory"));
}

const std::string kBegin = "\x80\x02";

}  // namespace

DAN_TEST(a_long_storage_key_is_not_copied_for_each_use) {
  const Scratch scratch;
  // The pickle stores the id as value 0 and builds a storage from it again and again.
  const std::string key(500'000, 'k');
  std::string id = pickleStorage(key, 1);
  id.back() = 'q';  // The opcode Q, which this replaces, would build the storage.
  std::string pickle = kBegin + id + std::string(1, '\0');
  for (int i = 0; i < 5000; ++i) pickle += std::string("h\0Q", 3);
  expectRefusedInLittleMemory(scratch.at("keys.pth"), zipOf({{"a/data.pkl", pickle + "."}}), "it holds no dict");
}

DAN_TEST(records_of_a_zip_archive_must_not_overlap) {
  const Scratch scratch;
  constexpr uint32_t kNumel = 1 << 18;
  // The directory names one record of 1 MB 500 times.
  std::vector<ZipRecord> records = {{"a/data.pkl", ""}, {"a/data/0", std::string(4 * kNumel, 'x')}};
  std::vector<std::pair<std::string, size_t>> directory = {{"a/data.pkl", 0}};
  std::string& pickle = records[0].data;
  pickle = kBegin + "}(";
  for (int i = 0; i < 500; ++i) {
    const std::string key = std::to_string(i);
    pickle += pickleText(key) + pickleTensor(pickleStorage(key, kNumel), kNumel);
    directory.emplace_back("a/data/" + key, 1);
  }
  pickle += "u.";
  expectRefusedInLittleMemory(scratch.at("overlap.pth"), zipOf(records, directory), "overlap");
}

DAN_TEST(a_small_storage_does_not_become_a_large_model) {
  const Scratch scratch;
  constexpr uint32_t kNumel = 1 << 16;
  std::string pickle = kBegin + "}(";
  for (int i = 0; i < 200; ++i)
    pickle += pickleText(std::to_string(i)) + pickleTensor(pickleStorage("0", kNumel), kNumel);
  const std::string storage(4 * kNumel, '\0');
  expectRefusedInLittleMemory(scratch.at("shared.pth"), zipOf({{"a/data.pkl", pickle + "u."}, {"a/data/0", storage}}),
                              "share the same bytes");
  // Tied weights are legitimate and must load.
  pickle = kBegin + "}(";
  for (const char* name : {"a", "b"}) pickle += pickleText(name) + pickleTensor(pickleStorage("0", kNumel), kNumel);
  writeHostile(scratch.at("tied.pth"), zipOf({{"a/data.pkl", pickle + "u."}, {"a/data/0", storage}}));
  EXPECT(io::readTorchFile(scratch.at("tied.pth")).size() == 2);
}

DAN_TEST(a_pickle_has_a_bounded_number_of_values_and_dimensions) {
  const Scratch scratch;
  const auto read = [&](const std::string& pickle, const std::string& reason) {
    expectRefusedInLittleMemory(scratch.at("values.pth"), zipOf({{"a/data.pkl", kBegin + pickle}}), reason);
  };
  read(std::string(3'000'000, ']') + ".", "which no state dict needs");
  const std::string shape = "(" + std::string(9 * 2, 'K') + "t";  // nine times 75
  read(pickleGlobal("torch._utils", "_rebuild_tensor_v2") + "(" + pickleStorage("0", 1) + "K" + std::string(1, '\0') +
           shape + shape + "tR.",
       "too many dimensions");
}

DAN_TEST(a_safetensors_header_does_not_grow_in_memory) {
  const Scratch scratch;
  const auto read = [&](std::string header, const std::string& reason) {
    writeHostile(scratch.at("a.safetensors"), little(header.size(), 8) + header);
    const size_t peak = peakOf([&] { expectError([&] { io::readWeightsFile(scratch.at("a.safetensors")); }, reason); });
    if (peak > kFewBytes) failTest(c10::str(header.size(), " bytes take ", peak, " bytes of memory"));
  };
  const auto repeat = [](const std::string& text, size_t count) {
    std::string all;
    for (size_t i = 0; i < count; ++i) all += text;
    return all;
  };
  constexpr size_t kMany = 10'000'000;
  read("{\"a\":{\"shape\":[" + repeat("1,", kMany) + "1]}}", "a has more than 64 dimensions");
  read("{\"a\":{\"b\":[" + repeat("[],", kMany / 2) + "1]}}", "nested too deeply");
  read("{\"a\":[" + repeat("[],", kMany / 2) + "1]}", "the entry of a is not an object");
  read("[" + repeat("{},", kMany / 2) + "1]", "the header is not");
  read("{\"a\":{},\"a\":{}}", "a has no dtype");
  std::string keys;
  for (int i = 0; i < 70'000; ++i) keys += "\"" + std::to_string(i) + "\":\"\",";
  read("{\"__metadata__\":{" + keys + "\"last\":\"\"}}", "too many keys");
  read(R"({"__metadata__":{"a":"b","a":"c"}})", "names a twice");
  read(R"({"__metadata__":{},"__metadata__":{}})", "names __metadata__ twice");
}

DAN_TEST(weights_stay_as_they_were_read) {
  const Scratch scratch;
  const std::string path = scratch.at("a.safetensors"), torchPath = scratch.at("a.pth");
  constexpr uint32_t kNumel = 1 << 18;
  const at::Tensor numbers = at::arange(kNumel, at::kFloat);
  io::writeSafetensors(path, {{"a", numbers}});
  const std::string storage(static_cast<const char*>(numbers.const_data_ptr()), numbers.nbytes());
  const std::string pickle = kBegin + "}(" + pickleText("a") + pickleTensor(pickleStorage("0", kNumel), kNumel) + "u.";
  writeHostile(torchPath, zipOf({{"a/data.pkl", pickle}, {"a/data/0", storage}}));
  for (const std::string& file : {path, torchPath}) {
    const TensorMap overwritten = io::readWeightsFile(file).tensors;
    std::fstream(file, std::ios::in | std::ios::out | std::ios::binary) << std::string(fs::file_size(file), '\xff');
    EXPECT(overwritten.at("a").equal(numbers));
    fs::resize_file(file, 0);
    // Reading a memory-mapped file would crash the process here.
    EXPECT(overwritten.at("a").equal(numbers));
  }
}

DAN_TEST(a_file_that_changes_while_it_is_read_is_an_error) {
  const Scratch scratch;
  const std::string path = scratch.at("a.safetensors");
  io::writeSafetensors(path, {{"a", at::ones({1000})}});
  const auto file = io::InputFile::open(path);
  const auto touch = [&](int64_t seconds) {
    const timespec times[] = {{0, UTIME_OMIT}, {seconds, 0}};
    EXPECT(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
  };
  EXPECT(io::readSafetensors(*file).tensors.size() == 1);
  touch(1000);  // This changes the modification time.
  expectError([&] { io::readSafetensors(*file); }, "it was written to while it was read");
  fs::resize_file(path, fs::file_size(path) - 1);
  expectError([&] { io::readSafetensors(*file); }, "it became shorter while it was read");
}

DAN_TEST(a_pipe_is_an_error_and_is_not_waited_for) {
  const Scratch scratch;
  const std::string path = scratch.at("pipe.safetensors");
  EXPECT(::mkfifo(path.c_str(), 0600) == 0);
  expectError([&] { io::readWeightsFile(path); }, "not a regular file");
}

DAN_TEST(writers_of_one_file_do_not_meet) {
  const Scratch scratch;
  const std::string path = scratch.at("file");
  {
    io::AtomicFile first(path), second(path);
    first.write("first", 5);
    second.write("second", 6);
    first.commit();
    second.commit();
  }
  std::ifstream file(path);
  std::string text;
  std::getline(file, text);
  EXPECT(text == "second");
  // The file of another writer must be neither overwritten nor removed.
  const std::string next = io::temporaryName(path);
  const size_t dash = next.rfind('-') + 1;
  const std::string taken = next.substr(0, dash) + std::to_string(std::stoul(next.substr(dash)) + 1);
  writeHostile(taken, "theirs");
  { io::AtomicFile third(path); }
  EXPECT(fs::file_size(taken) == 6);
  EXPECT(std::distance(fs::directory_iterator(scratch.at("")), fs::directory_iterator()) == 2);
}

}  // namespace dan::tests
