#include "tests/amx_trap.h"

#include <ucontext.h>

#include <atomic>

#include "tests/amx_model.h"

namespace dan::tests {

namespace {

std::atomic<int64_t> count{0};

// An instruction with a VEX prefix of three bytes in the map 0F38, as all of AMX are (Intel's manual, volume 2, 2.3).
struct Instruction {
  int prefix;  // 0: none, 1: 66, 2: F3, 3: F2
  int opcode, reg, rm, vvvv;
  bool hasMemory;
  uintptr_t base, index;  // base: with the displacement; index: scaled
  int length;
};

uintptr_t registerValue(const ucontext_t& context, int number) {
  constexpr int kOrder[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                            REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
  return static_cast<uintptr_t>(context.uc_mcontext.gregs[kOrder[number]]);
}

// Returns false if the bytes are not such an instruction.
bool decode(const ucontext_t& context, Instruction& result) {
  const auto* code = reinterpret_cast<const uint8_t*>(context.uc_mcontext.gregs[REG_RIP]);
  constexpr uint8_t kVex3 = 0xC4, kMap0F38 = 2;
  if (code[0] != kVex3 || (code[1] & 0x1F) != kMap0F38) return false;
  // The prefix holds these bits inverted.
  const int extendsReg = (code[1] & 0x80) != 0 ? 0 : 8, extendsIndex = (code[1] & 0x40) != 0 ? 0 : 8;
  const int extendsBase = (code[1] & 0x20) != 0 ? 0 : 8;
  result.prefix = code[2] & 3;
  result.vvvv = (~code[2] >> 3) & 15;
  result.opcode = code[3];
  const int mod = code[4] >> 6, rm = code[4] & 7;
  result.reg = ((code[4] >> 3) & 7) + extendsReg;
  result.rm = rm + extendsBase;
  result.hasMemory = mod != 3;
  result.base = result.index = 0;
  int length = 5;
  if (result.hasMemory) {
    int base = rm + extendsBase;
    bool hasBase = true;
    if (rm == 4) {  // A SIB byte follows.
      const uint8_t sib = code[length++];
      base = (sib & 7) + extendsBase;
      hasBase = !(mod == 0 && (sib & 7) == 5);
      const int index = ((sib >> 3) & 7) + extendsIndex;
      if (index != 4) result.index = registerValue(context, index) << (sib >> 6);
    } else if (mod == 0 && rm == 5) {
      return false;  // relative to the instruction; our code has no such operand
    }
    if (hasBase) result.base = registerValue(context, base);
    if (mod == 1) {
      result.base += static_cast<uintptr_t>(static_cast<int8_t>(code[length]));
      length += 1;
    } else if (mod == 2 || !hasBase) {
      int32_t displacement = 0;
      __builtin_memcpy(&displacement, code + length, sizeof(displacement));
      result.base += static_cast<uintptr_t>(static_cast<intptr_t>(displacement));
      length += 4;
    }
  }
  result.length = length;
  return true;
}

// Returns false if the instruction is not one of AMX that we use.
bool emulate(const Instruction& x) {
  enum { kNone, k66, kF3, kF2 };
  const auto stride = static_cast<int64_t>(x.index);
  if (x.opcode == 0x49 && x.prefix == kNone && x.hasMemory) {
    AmxModel::configure(*reinterpret_cast<const ops::cpu::AmxConfig*>(x.base + x.index));
  } else if (x.opcode == 0x49 && x.prefix == kNone) {
    AmxModel::release();
  } else if (x.opcode == 0x49 && x.prefix == kF2 && !x.hasMemory) {
    AmxModel::zero(x.reg);
  } else if (x.opcode == 0x4B && x.prefix == kF2 && x.hasMemory) {
    AmxModel::load(x.reg, reinterpret_cast<const void*>(x.base), stride);
  } else if (x.opcode == 0x4B && x.prefix == kF3 && x.hasMemory) {
    AmxModel::store(x.reg, reinterpret_cast<void*>(x.base), stride);
  } else if (x.opcode == 0x5C && x.prefix == kF3 && !x.hasMemory) {
    AmxModel::multiplyAdd(x.reg, x.rm, x.vvvv);
  } else {
    return false;
  }
  return true;
}

void handle(int signal, siginfo_t*, void* context) {
  auto& at = *static_cast<ucontext_t*>(context);
  Instruction instruction;
  if (decode(at, instruction) && emulate(instruction)) {
    at.uc_mcontext.gregs[REG_RIP] += instruction.length;
    ++count;
    return;
  }
  // This is an illegal instruction of somebody else. It is executed again, and ends the process.
  std::signal(signal, SIG_DFL);
}

}  // namespace

AmxTrap::AmxTrap() : before_() {
  struct sigaction action = {};
  action.sa_sigaction = handle;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigemptyset(&action.sa_mask);
  sigaction(SIGILL, &action, &before_);
}

AmxTrap::~AmxTrap() { sigaction(SIGILL, &before_, nullptr); }

int64_t AmxTrap::emulated() { return count; }

}  // namespace dan::tests
