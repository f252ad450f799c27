#include "io/pickle_machine.h"

#include <cstring>

#include "core/error.h"
#include "io/pickle_globals.h"

namespace dan::io {

namespace {

// A tensor of a large model takes about 40 opcodes. This number of opcodes makes at most about 200 MB of values.
constexpr size_t kMaxOpcodes = 2'000'000;
constexpr size_t kMaxTensorDims = 8;  // The kernels of convolutions have four.

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

// Shortens a name in the file for an error, which has one line.
std::string shown(std::string_view name) {
  constexpr size_t kMaxShown = 100;
  std::string text(name.substr(0, kMaxShown));
  for (char& c : text) c = c == '\n' || static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  return text + (name.size() > kMaxShown ? "…" : "");
}

}  // namespace

const PickleValue* PickleMachine::run() {
  for (size_t i = 0; i < kMaxOpcodes; ++i) {
    const uint8_t opcode = input_.byte();
    if (opcode == kStop) return pop();
    execute(opcode);
  }
  input_.reject(c10::str("it has more than ", kMaxOpcodes, " values, which no state dict needs"));
}

PickleValue* PickleMachine::make(Kind kind) {
  arena_.emplace_back();
  arena_.back().kind = kind;
  return &arena_.back();
}

void PickleMachine::push(PickleValue* value) { stack_.push_back(value); }

PickleValue* PickleMachine::pop() {
  if (stack_.empty() || (!marks_.empty() && stack_.size() <= marks_.back())) input_.reject("its stack runs empty");
  PickleValue* value = stack_.back();
  stack_.pop_back();
  return value;
}

PickleValue* PickleMachine::top(Kind kind, const char* what) {
  if (stack_.empty() || stack_.back()->kind != kind) input_.reject(std::string("expected ") + what);
  return stack_.back();
}

PickleList PickleMachine::popToMark() {
  if (marks_.empty()) input_.reject("a mark is missing");
  PickleList items(stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back()), stack_.end());
  stack_.resize(marks_.back());
  marks_.pop_back();
  return items;
}

void PickleMachine::pushInteger(Kind kind, int64_t value) {
  PickleValue* v = make(kind);
  v->integer = value;
  push(v);
}

void PickleMachine::pushText(Kind kind, std::string_view value) {
  PickleValue* v = make(kind);
  v->text = value;
  push(v);
}

void PickleMachine::pushItems(Kind kind, PickleList items) {
  PickleValue* v = make(kind);
  v->items = std::move(items);
  push(v);
}

void PickleMachine::pushLastAsTuple(size_t count) {
  PickleList items(count);
  for (size_t i = count; i-- > 0;) items[i] = pop();
  pushItems(Kind::kTuple, std::move(items));
}

void PickleMachine::execute(uint8_t opcode) {
  switch (opcode) {
    case kProto:
      if (input_.byte() > 2) input_.reject("only pickle protocol 2 and below is read");
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
      return pushInteger(Kind::kInteger, input_.number<int32_t>());
    case kBinInt1:
      return pushInteger(Kind::kInteger, input_.byte());
    case kBinInt2:
      return pushInteger(Kind::kInteger, input_.number<uint16_t>());
    case kLong1:
      return longInteger();
    case kBinFloat:
      return floatNumber();
    case kBinUnicode:
      return pushText(Kind::kText, input_.text(input_.number<uint32_t>()));
    case kShortBinString:
      return pushText(Kind::kText, input_.text(input_.byte()));
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
      return remember(input_.byte());
    case kLongBinPut:
      return remember(input_.number<uint32_t>());
    case kBinGet:
      return recall(input_.byte());
    case kLongBinGet:
      return recall(input_.number<uint32_t>());
    case kGlobalOp:
      return global();
    case kReduce:
      return reduce();
    case kBuild:  // Weights do not need the attributes of an OrderedDict.
      pop();
      return;
    case kBinPersId:
      return persistentId();
    default:
      input_.reject(
          c10::str("it uses the pickle opcode ", static_cast<int>(opcode), ", which a state dict does not need"));
  }
}

PickleList PickleMachine::lastTwo() {
  PickleValue* value = pop();
  return {pop(), value};
}

void PickleMachine::longInteger() {
  const std::string_view bytes = input_.text(input_.byte());
  if (bytes.size() > 8) return pushText(Kind::kLong, bytes);
  int64_t value = !bytes.empty() && (static_cast<uint8_t>(bytes.back()) & 0x80) ? -1 : 0;
  std::memcpy(&value, bytes.data(), bytes.size());
  pushInteger(Kind::kInteger, value);
}

void PickleMachine::floatNumber() {
  input_.take(8);  // Weights do not need numbers such as losses and rates.
  push(make(Kind::kFloat));
}

void PickleMachine::append(const PickleList& items) {
  PickleValue* list = top(Kind::kList, "a list to append to");
  list->items.insert(list->items.end(), items.begin(), items.end());
}

void PickleMachine::setItems(const PickleList& items) {
  PickleValue* dict = top(Kind::kDict, "a dict to fill");
  if (items.size() % 2 != 0) input_.reject("a dict has a key without a value");
  dict->items.insert(dict->items.end(), items.begin(), items.end());
}

void PickleMachine::remember(uint32_t key) {
  if (stack_.empty()) input_.reject("its stack runs empty");
  memo_[key] = stack_.back();
}

void PickleMachine::recall(uint32_t key) {
  const auto found = memo_.find(key);
  if (found == memo_.end()) input_.reject("it recalls a value that it never stored");
  push(found->second);
}

void PickleMachine::global() {
  const std::string_view name = input_.twoLines();
  if (!isAllowedGlobal(name)) {
    input_.reject(
        "it refers to `" + shown(name) +
        "`, which weights have no use for: it holds Python objects, or is an attack; of a model of your own, save "
        "its state_dict()");
  }
  pushText(Kind::kGlobal, name);
}

void PickleMachine::reduce() {
  const PickleValue* arguments = pop();
  const PickleValue* callee = pop();
  if (arguments->kind != Kind::kTuple || callee->kind != Kind::kGlobal) input_.reject("it calls what is no function");
  if (callee->text == kOrderedDict) {
    if (!arguments->items.empty()) input_.reject("an OrderedDict has arguments");
    return push(make(Kind::kDict));
  }
  if (callee->text == kRebuildTensor) return rebuildTensor(arguments->items);
  if (callee->text == kRebuildParameter) {
    if (arguments->items.empty() || arguments->items[0]->kind != Kind::kTensor)
      input_.reject("a parameter is no tensor");
    return push(const_cast<PickleValue*>(arguments->items[0]));
  }
  if (isIgnoredGlobal(callee->text)) return push(make(Kind::kNone));
  input_.reject("it calls `" + shown(callee->text) + "`");
}

// The shape must be a tuple, because a list could change after this check.
void PickleMachine::expectShape(const PickleValue* tuple) {
  if (tuple->kind != Kind::kTuple) input_.reject("a shape is no tuple");
  if (tuple->items.size() > kMaxTensorDims) input_.reject("a tensor has too many dimensions");
  for (const PickleValue* item : tuple->items) {
    if (item->kind != Kind::kInteger) input_.reject("a shape holds what is no integer");
  }
}

void PickleMachine::rebuildTensor(const PickleList& arguments) {
  if (arguments.size() < 4 || arguments[0]->kind != Kind::kStorage || arguments[1]->kind != Kind::kInteger) {
    input_.reject("a tensor lacks its storage");
  }
  expectShape(arguments[2]);
  expectShape(arguments[3]);
  checkExtent(storageOf(*arguments[0]), arguments[1]->integer, arguments[2]->items, arguments[3]->items);
  pushItems(Kind::kTensor, PickleList(arguments.begin(), arguments.begin() + 4));
}

// Every element must lie in the storage. Strides of zero must not make a tensor larger than its storage.
void PickleMachine::checkExtent(const StorageReference& storage, int64_t offset, const PickleList& sizes,
                                const PickleList& strides) {
  int64_t last = offset, numel = 1;
  if (sizes.size() != strides.size() || last < 0) input_.reject("a tensor's shape and strides disagree");
  for (size_t i = 0; i < sizes.size(); ++i) {
    const int64_t size = sizes[i]->integer, stride = strides[i]->integer;
    int64_t reach = 0;
    if (size < 0 || stride < 0 || __builtin_mul_overflow(numel, size, &numel) ||
        (size > 0 &&
         (__builtin_mul_overflow(size - 1, stride, &reach) || __builtin_add_overflow(last, reach, &last)))) {
      input_.reject("a tensor has an impossible shape");
    }
  }
  if (numel > 0 && (last >= storage.numel || numel > storage.numel)) {
    input_.reject("a tensor reaches beyond its storage " + shown(storage.key));
  }
}

// ("storage", type, key, location, number of elements[, view])
void PickleMachine::persistentId() {
  const PickleValue* id = pop();
  const auto& items = id->items;
  if (id->kind != Kind::kTuple || items.size() < 5 || items[0]->text != "storage" || items[1]->kind != Kind::kGlobal ||
      !isStorageType(items[1]->text) || items[2]->kind != Kind::kText || items[4]->kind != Kind::kInteger ||
      items[4]->integer < 0) {
    input_.reject("it refers to something that is no storage");
  }
  pushItems(Kind::kStorage, {items[1], items[2], items[4]});
}

}  // namespace dan::io
