// A PickleMachine runs a pickle's opcodes. It builds values and calls no function of the file.
#pragma once

#include <deque>
#include <unordered_map>
#include <vector>

#include "io/pickle_input.h"
#include "io/pickle_value.h"

namespace dan::io {

class PickleMachine {
 public:
  // Values are made in `arena`. Both arguments must outlive the object.
  PickleMachine(PickleInput& input, std::deque<PickleValue>& arena) : input_(input), arena_(arena) {}

  // Runs up to STOP and returns the top of the stack. Throws ERR_WEIGHTS_INVALID.
  const PickleValue* run();

 private:
  using Kind = PickleValue::Kind;

  PickleValue* make(Kind kind);
  void push(PickleValue* value);
  PickleValue* pop();
  PickleValue* top(Kind kind, const char* what);
  PickleList popToMark();
  PickleList lastTwo();
  void pushInteger(Kind kind, int64_t value);
  void pushText(Kind kind, std::string_view value);
  void pushItems(Kind kind, PickleList items);
  void pushLastAsTuple(size_t count);

  void execute(uint8_t opcode);
  void longInteger();
  void floatNumber();
  void append(const PickleList& items);
  void setItems(const PickleList& items);
  void remember(uint32_t key);
  void recall(uint32_t key);
  void global();
  void reduce();
  void expectShape(const PickleValue* tuple);
  void rebuildTensor(const PickleList& arguments);
  void checkExtent(const StorageReference& storage, int64_t offset, const PickleList& sizes, const PickleList& strides);
  void persistentId();

  PickleInput& input_;
  std::deque<PickleValue>& arena_;
  std::vector<PickleValue*> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<uint32_t, PickleValue*> memo_;
};

}  // namespace dan::io
