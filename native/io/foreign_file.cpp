#include "io/foreign_file.h"

#include <algorithm>
#include <cstring>

#include "core/text.h"

namespace dan::io {

namespace {

using namespace std::string_view_literals;

constexpr size_t kHeadBytes = 512;
constexpr const char* kUnpack = ": unpack it and give the weights file in it";
constexpr const char* kNotRead = ", which is not read: convert it to .safetensors";

struct Signature {
  size_t offset;
  std::string_view bytes;
  const char* what;
  const char* advice;
};

constexpr Signature kSignatures[] = {
    {0, "\x1f\x8b"sv, "a gzip archive", kUnpack},
    {0, "BZh"sv, "a bzip2 archive", kUnpack},
    {0,
     "\xfd"
     "7zXZ\0"sv,
     "an xz archive", kUnpack},
    {0, "\x28\xb5\x2f\xfd"sv, "a zstd archive", kUnpack},
    {0, "\x04\x22\x4d\x18"sv, "an lz4 archive", kUnpack},
    {0, "7z\xbc\xaf\x27\x1c"sv, "a 7z archive", kUnpack},
    {0, "Rar!\x1a\x07"sv, "a RAR archive", kUnpack},
    {257, "ustar"sv, "a tar archive", kUnpack},
    {0, "PK\x05\x06"sv, "an empty zip archive", ""},
    {0, "\x89HDF\r\n\x1a\n"sv, "an HDF5 file (Keras)", kNotRead},
    {0, "GGUF"sv, "a GGUF file", kNotRead},
    {0, "\x93NUMPY"sv, "a NumPy array", kNotRead},
    {4, "TFL3"sv, "a TensorFlow Lite model", kNotRead},
    {0, "\x89PNG\r\n"sv, "a PNG image", ""},
    {0, "\xff\xd8\xff"sv, "a JPEG image", ""},
    {0, "GIF8"sv, "a GIF image", ""},
    {0, "RIFF"sv, "a RIFF file (an image or sound)", ""},
    {0, "%PDF"sv, "a PDF document", ""},
    {0,
     "\x7f"
     "ELF"sv,
     "a program or library (ELF)", ""},
    {0, "MZ"sv, "a Windows program", ""},
};

bool isPrintable(char c) { return (c >= ' ' && c != '\x7f') || c == '\n' || c == '\r' || c == '\t'; }

// Text has no control characters. A few bytes above ASCII are accepted as UTF-8.
bool isText(std::string_view head) {
  size_t above = 0;
  for (const char c : head) {
    const bool isAscii = static_cast<unsigned char>(c) < 0x80;
    if (isAscii && !isPrintable(c)) return false;
    if (!isAscii) ++above;
  }
  return above * 4 <= head.size();
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return result;
}

std::string firstLine(std::string_view text) {
  constexpr size_t kMaxShown = 60;
  std::string_view line = text.substr(0, text.find_first_of("\r\n"));
  const bool isWhole = line.size() <= kMaxShown;
  if (!isWhole) line = line.substr(0, kMaxShown);
  while (!isWhole && !line.empty() && (static_cast<unsigned char>(line.back()) & 0x80) != 0) line.remove_suffix(1);
  return std::string(line) + (isWhole ? "" : "…");
}

std::string kindOfText(std::string_view head) {
  if (isLfsPointer(head)) return kLfsPointer;
  if (startsWith(head, "\xef\xbb\xbf")) head.remove_prefix(3);  // byte order mark
  head.remove_prefix(std::min(head.find_first_not_of(" \t\r\n"), head.size()));
  const std::string text = lower(head);
  const std::string begins = ", which begins with \"" + firstLine(head) + "\"";
  for (const char* start : {"<!doctype html", "<html", "<head", "<body"}) {
    if (startsWith(text, start)) {
      return "an HTML page, not the file itself: the download gave a page instead, perhaps an error or a login";
    }
  }
  if (startsWith(text, "<?xml") || startsWith(text, "<")) return "an XML document" + begins;
  if (startsWith(text, "{") || startsWith(text, "[")) return "a JSON file" + begins;
  return "a text file" + begins;
}

// This recognises a protobuf whose first field is a version and whose second belongs to a model: ONNX's ModelProto or
// TensorFlow's SavedModel.
std::string kindOfProtobuf(std::string_view head) {
  if (head.size() < 3 || head[0] != 0x08 || head[1] < 1 || head[1] > 30) return "";
  constexpr std::string_view kModelFields = "\x12\x1a\x22\x28\x32\x3a\x42";
  if (kModelFields.find(head[2]) == std::string_view::npos) return "";
  return std::string(head[1] == 1 ? "a TensorFlow SavedModel" : "an ONNX model") + kNotRead;
}

// The first entry decides. torch.save writes "<name>/data.pkl" first, without compression.
std::string kindOfZip(std::string_view head) {
  constexpr size_t kNameAt = 30;
  if (head.size() < kNameAt) return "";
  const auto number = [&](size_t at) {
    return static_cast<uint8_t>(head[at]) | static_cast<uint8_t>(head[at + 1]) << 8;
  };
  const std::string_view name = head.substr(kNameAt, number(26));
  if (endsWith(name, ".npy")) return std::string("a NumPy archive (.npz)") + kNotRead;
  for (const char* keras : {"metadata.json", "config.json", "model.weights.h5"}) {
    if (name == keras) return std::string("a Keras model (.keras)") + kNotRead;
  }
  const bool isCompressed = number(8) != 0;
  if (!isCompressed && name.find('/') != std::string_view::npos) return "";
  const std::string what = isCompressed ? "a compressed zip archive" : "a zip archive";
  return what + " that torch.save did not write" + kUnpack;
}

}  // namespace

bool isLfsPointer(std::string_view text) { return startsWith(text, "version https://git-lfs.github.com/spec/"); }

bool beginsAsSafetensors(const InputFile& file) {
  if (file.size() < 9) return false;
  const std::string head = file.text(0, 9);
  return head[8] == '{' && head.compare(4, 4, "\0\0\0\0"sv) == 0;
}

std::string foreignKind(const InputFile& file) {
  if (file.size() == 0) return "an empty file: download or write it again";
  if (beginsAsSafetensors(file)) return "";
  const std::string head = file.text(0, std::min(file.size(), kHeadBytes));
  for (const Signature& signature : kSignatures) {
    if (head.compare(signature.offset < head.size() ? signature.offset : head.size(), signature.bytes.size(),
                     signature.bytes) == 0) {
      return std::string(signature.what) + signature.advice;
    }
  }
  if (startsWith(head, "PK\x03\x04")) return kindOfZip(head);
  const std::string protobuf = kindOfProtobuf(head);
  if (!protobuf.empty()) return protobuf;
  if (head.size() == kHeadBytes && head.find_first_not_of('\0') == std::string::npos) {
    return "a file that begins with zeros, as a download does that was broken off: download it again";
  }
  return isText(head) ? kindOfText(head) : "";
}

}  // namespace dan::io
