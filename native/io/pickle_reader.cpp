#include "io/pickle_reader.h"

#include <cstring>
#include <map>
#include <set>
#include <unordered_map>

#include "core/error.h"

namespace dan::io {

namespace {

using Kind = PickleValue::Kind;

// Globals are written as in the pickle: module, end of line, name.
const std::map<std::string_view, at::ScalarType> kStorageTypes = {
    {"torch\nFloatStorage", at::kFloat},   {"torch\nHalfStorage", at::kHalf}, {"torch\nBFloat16Storage", at::kBFloat16},
    {"torch\nDoubleStorage", at::kDouble}, {"torch\nLongStorage", at::kLong}, {"torch\nIntStorage", at::kInt},
    {"torch\nShortStorage", at::kShort},   {"torch\nCharStorage", at::kChar}, {"torch\nByteStorage", at::kByte},
    {"torch\nBoolStorage", at::kBool}};

constexpr std::string_view kOrderedDict = "collections\nOrderedDict";
constexpr std::string_view kRebuildTensor = "torch._utils\n_rebuild_tensor_v2";
constexpr std::string_view kRebuildParameter = "torch._utils\n_rebuild_parameter";

// A tensor of a large model takes about 40. At most some 200 MB of values come of this many.
constexpr size_t kMaxOpcodes = 2'000'000;
constexpr size_t kMaxDims = 8;  // kernels have four

// What training frameworks leave in their checkpoints beside the weights. Nothing is made of these: a call of one gives
// None.
const std::set<std::string_view> kIgnoredGlobals = {"pytorch_lightning.callbacks.model_checkpoint\nModelCheckpoint",
                                                    "pytorch_lightning.callbacks\nmodel_checkpoint",
                                                    "numpy.core.multiarray\nscalar",
                                                    "numpy._core.multiarray\nscalar",
                                                    "numpy\ndtype",
                                                    "_codecs\nencode",
                                                    "__builtin__\nset",
                                                    "torch\nSize"};

bool isAllowedGlobal(std::string_view name) {
  return name == kOrderedDict || name == kRebuildTensor || name == kRebuildParameter || kStorageTypes.count(name) > 0 ||
         kIgnoredGlobals.count(name) > 0;
}

enum Opcode : uint8_t {
  kProto = 0x80,
  kStop = '.',
  kMark = '(',
  kNoneOp = 'N',
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kLong1 = 0x8a,
  kBinFloat = 'G',
  kBinUnicode = 'X',
  kShortBinString = 'U',
  kEmptyTuple = ')',
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kTupleOp = 't',
  kEmptyList = ']',
  kAppend = 'a',
  kAppends = 'e',
  kEmptyDict = '}',
  kSetItem = 's',
  kSetItems = 'u',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kGlobalOp = 'c',
  kReduce = 'R',
  kBuild = 'b',
  kBinPersId = 'Q'
};

// A name of the file for an error's one line.
std::string shown(std::string_view name) {
  constexpr size_t kShown = 100;
  std::string text(name.substr(0, kShown));
  for (char& c : text) c = c == '\n' || static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  return text + (name.size() > kShown ? "…" : "");
}

}  // namespace

StorageReference storageOf(const PickleValue& value) {
  return {value.items[1]->text, kStorageTypes.at(value.items[0]->text), value.items[2]->integer};
}

std::vector<int64_t> integersOf(const PickleValue& tuple) {
  std::vector<int64_t> values;
  values.reserve(tuple.items.size());
  for (const PickleValue* item : tuple.items) values.push_back(item->integer);
  return values;
}

class PickleReader::Machine {
 public:
  explicit Machine(PickleReader& reader) : reader_(reader) {}

  const PickleValue* run() {
    for (size_t i = 0; i < kMaxOpcodes; ++i) {
      const uint8_t opcode = byte();
      if (opcode == kStop) return pop();
      execute(opcode);
    }
    reject(c10::str("it has more than ", kMaxOpcodes, " values, which no state dict needs"));
  }

 private:
  [[noreturn]] void reject(const std::string& reason) const {
    fail(kWeightsInvalid, reader_.source_, " is not a valid PyTorch weights file: ", reason, " (at byte ",
         reader_.position_, " of its pickle)");
  }

  // --- input -------------------------------------------------------------------------------------------------------
  const uint8_t* take(size_t count) {
    if (count > reader_.size_ - reader_.position_) reject("it ends in the middle of a value");
    const uint8_t* data = reader_.data_ + reader_.position_;
    reader_.position_ += count;
    return data;
  }
  uint8_t byte() { return *take(1); }
  template <class T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof(T)), sizeof(T));
    return value;
  }
  std::string_view text(size_t length) { return {reinterpret_cast<const char*>(take(length)), length}; }
  // Two lines, without the end of the second.
  std::string_view twoLines() {
    const std::string_view rest(reinterpret_cast<const char*>(reader_.data_) + reader_.position_,
                                reader_.size_ - reader_.position_);
    const size_t first = rest.find('\n');
    const size_t second = first == std::string_view::npos ? first : rest.find('\n', first + 1);
    if (second == std::string_view::npos) reject("a name has no end");
    take(second + 1);
    return rest.substr(0, second);
  }

  // --- stack -------------------------------------------------------------------------------------------------------
  PickleValue* make(Kind kind) {
    reader_.arena_.emplace_back();
    reader_.arena_.back().kind = kind;
    return &reader_.arena_.back();
  }
  void push(PickleValue* value) { stack_.push_back(value); }
  PickleValue* pop() {
    if (stack_.empty() || (!marks_.empty() && stack_.size() <= marks_.back())) reject("its stack runs empty");
    PickleValue* value = stack_.back();
    stack_.pop_back();
    return value;
  }
  PickleValue* top(Kind kind, const char* what) {
    if (stack_.empty() || stack_.back()->kind != kind) reject(std::string("expected ") + what);
    return stack_.back();
  }
  PickleList popToMark() {
    if (marks_.empty()) reject("a mark is missing");
    PickleList items(stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back()), stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    return items;
  }
  void pushInteger(Kind kind, int64_t value) {
    PickleValue* v = make(kind);
    v->integer = value;
    push(v);
  }
  void pushText(Kind kind, std::string_view value) {
    PickleValue* v = make(kind);
    v->text = value;
    push(v);
  }
  void pushItems(Kind kind, PickleList items) {
    PickleValue* v = make(kind);
    v->items = std::move(items);
    push(v);
  }
  void pushLastAsTuple(size_t count) {
    PickleList items(count);
    for (size_t i = count; i-- > 0;) items[i] = pop();
    pushItems(Kind::kTuple, std::move(items));
  }

  // --- opcodes -----------------------------------------------------------------------------------------------------
  void execute(uint8_t opcode) {
    switch (opcode) {
      case kProto:
        if (byte() > 2) reject("only pickle protocol 2 and below is read");
        return;
      case kMark:
        marks_.push_back(stack_.size());
        return;
      case kNoneOp:
        return push(make(Kind::kNone));
      case kNewTrue:
      case kNewFalse:
        return pushInteger(Kind::kBool, opcode == kNewTrue);
      case kBinInt:
        return pushInteger(Kind::kInteger, number<int32_t>());
      case kBinInt1:
        return pushInteger(Kind::kInteger, byte());
      case kBinInt2:
        return pushInteger(Kind::kInteger, number<uint16_t>());
      case kLong1:
        return longInteger();
      case kBinFloat:
        return floatNumber();
      case kBinUnicode:
        return pushText(Kind::kText, text(number<uint32_t>()));
      case kShortBinString:
        return pushText(Kind::kText, text(byte()));
      case kEmptyTuple:
        return pushItems(Kind::kTuple, {});
      case kTuple1:
      case kTuple2:
      case kTuple3:
        return pushLastAsTuple(opcode - kTuple1 + 1);
      case kTupleOp:
        return pushItems(Kind::kTuple, popToMark());
      case kEmptyList:
        return push(make(Kind::kList));
      case kEmptyDict:
        return push(make(Kind::kDict));
      case kAppend:
      case kAppends:
        return append(opcode == kAppend ? PickleList{pop()} : popToMark());
      case kSetItem:
        return setItems(lastTwo());
      case kSetItems:
        return setItems(popToMark());
      case kBinPut:
        return remember(byte());
      case kLongBinPut:
        return remember(number<uint32_t>());
      case kBinGet:
        return recall(byte());
      case kLongBinGet:
        return recall(number<uint32_t>());
      case kGlobalOp:
        return global();
      case kReduce:
        return reduce();
      case kBuild:  // the attributes of an OrderedDict: nothing that weights need
        pop();
        return;
      case kBinPersId:
        return persistentId();
      default:
        reject(c10::str("it uses the pickle opcode ", static_cast<int>(opcode), ", which a state dict does not need"));
    }
  }

  PickleList lastTwo() {
    PickleValue* value = pop();
    return {pop(), value};
  }

  void longInteger() {
    const std::string_view bytes = text(byte());
    if (bytes.size() > 8) return pushText(Kind::kLong, bytes);
    int64_t value = !bytes.empty() && (static_cast<uint8_t>(bytes.back()) & 0x80) ? -1 : 0;
    std::memcpy(&value, bytes.data(), bytes.size());
    pushInteger(Kind::kInteger, value);
  }

  void floatNumber() {
    take(8);  // a loss or a rate: nothing that weights need
    push(make(Kind::kFloat));
  }

  void append(const PickleList& items) {
    PickleValue* list = top(Kind::kList, "a list to append to");
    list->items.insert(list->items.end(), items.begin(), items.end());
  }

  void setItems(const PickleList& items) {
    PickleValue* dict = top(Kind::kDict, "a dict to fill");
    if (items.size() % 2 != 0) reject("a dict has a key without a value");
    dict->items.insert(dict->items.end(), items.begin(), items.end());
  }

  void remember(uint32_t key) {
    if (stack_.empty()) reject("its stack runs empty");
    memo_[key] = stack_.back();
  }

  void recall(uint32_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end()) reject("it recalls a value that it never stored");
    push(found->second);
  }

  void global() {
    const std::string_view name = twoLines();
    if (!isAllowedGlobal(name)) {
      reject("it refers to `" + shown(name) +
             "`, which weights have no use for: it holds Python objects, or is an attack; of a model of your own, save "
             "its state_dict()");
    }
    pushText(Kind::kGlobal, name);
  }

  void reduce() {
    const PickleValue* arguments = pop();
    const PickleValue* callee = pop();
    if (arguments->kind != Kind::kTuple || callee->kind != Kind::kGlobal) reject("it calls what is no function");
    if (callee->text == kOrderedDict) {
      if (!arguments->items.empty()) reject("an OrderedDict has arguments");
      return push(make(Kind::kDict));
    }
    if (callee->text == kRebuildTensor) return rebuildTensor(arguments->items);
    if (callee->text == kRebuildParameter) {
      if (arguments->items.empty() || arguments->items[0]->kind != Kind::kTensor) reject("a parameter is no tensor");
      return push(const_cast<PickleValue*>(arguments->items[0]));
    }
    if (kIgnoredGlobals.count(callee->text) > 0) return push(make(Kind::kNone));
    reject("it calls `" + shown(callee->text) + "`");
  }

  // A tuple, which unlike a list stays as it was checked.
  void expectShape(const PickleValue* tuple) {
    if (tuple->kind != Kind::kTuple) reject("a shape is no tuple");
    if (tuple->items.size() > kMaxDims) reject("a tensor has too many dimensions");
    for (const PickleValue* item : tuple->items) {
      if (item->kind != Kind::kInteger) reject("a shape holds what is no integer");
    }
  }

  void rebuildTensor(const PickleList& arguments) {
    if (arguments.size() < 4 || arguments[0]->kind != Kind::kStorage || arguments[1]->kind != Kind::kInteger) {
      reject("a tensor lacks its storage");
    }
    expectShape(arguments[2]);
    expectShape(arguments[3]);
    checkExtent(storageOf(*arguments[0]), arguments[1]->integer, arguments[2]->items, arguments[3]->items);
    pushItems(Kind::kTensor, PickleList(arguments.begin(), arguments.begin() + 4));
  }

  // Every element must lie in the storage, and no storage may be blown up by strides of zero.
  void checkExtent(const StorageReference& storage, int64_t offset, const PickleList& sizes,
                   const PickleList& strides) {
    int64_t last = offset, numel = 1;
    if (sizes.size() != strides.size() || last < 0) reject("a tensor's shape and strides disagree");
    for (size_t i = 0; i < sizes.size(); ++i) {
      const int64_t size = sizes[i]->integer, stride = strides[i]->integer;
      int64_t reach = 0;
      if (size < 0 || stride < 0 || __builtin_mul_overflow(numel, size, &numel) ||
          (size > 0 &&
           (__builtin_mul_overflow(size - 1, stride, &reach) || __builtin_add_overflow(last, reach, &last)))) {
        reject("a tensor has an impossible shape");
      }
    }
    if (numel > 0 && (last >= storage.numel || numel > storage.numel)) {
      reject("a tensor reaches beyond its storage " + shown(storage.key));
    }
  }

  // ("storage", type, key, location, number of elements[, view])
  void persistentId() {
    const PickleValue* id = pop();
    const auto& items = id->items;
    if (id->kind != Kind::kTuple || items.size() < 5 || items[0]->text != "storage" ||
        items[1]->kind != Kind::kGlobal || kStorageTypes.count(items[1]->text) == 0 || items[2]->kind != Kind::kText ||
        items[4]->kind != Kind::kInteger || items[4]->integer < 0) {
      reject("it refers to something that is no storage");
    }
    pushItems(Kind::kStorage, {items[1], items[2], items[4]});
  }

  PickleReader& reader_;
  std::vector<PickleValue*> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<uint32_t, PickleValue*> memo_;
};

PickleReader::PickleReader(const uint8_t* data, size_t sizeBytes, std::string source)
    : data_(data), size_(sizeBytes), source_(std::move(source)) {}

PickleReader::~PickleReader() = default;

std::map<std::string_view, at::ScalarType> PickleReader::storageTypes() const {
  std::map<std::string_view, at::ScalarType> types;
  for (const PickleValue& value : arena_) {
    if (value.kind != Kind::kStorage) continue;
    const StorageReference storage = storageOf(value);
    types[storage.key] = storage.dtype;
  }
  return types;
}

const PickleValue* PickleReader::read() { return Machine(*this).run(); }

}  // namespace dan::io
