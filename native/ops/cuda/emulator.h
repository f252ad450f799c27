// This runs the CUDA kernels on a CPU, so that their arithmetic is tested on machines without a GPU. It replaces nvcc's
// language when a .cu file is compiled as C++. A block's threads are coroutines that yield at every barrier. A barrier
// that some of them do not reach is an error. The emulator tells nothing about speed, memory ordering or the compiler.
#pragma once

#include <cuda_runtime_api.h>
#include <ucontext.h>
#include <vector_types.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <memory>
#include <stdexcept>
#include <type_traits>
#include <vector>

#undef __shared__
#define __shared__ static  // blocks run one after the other, so they can share it

namespace dan::emulator {

enum class Waiting { kNot, kForWarp, kForBlock };

struct Thread {
  ucontext_t context{};
  uint3 index{};
  Waiting waiting = Waiting::kNot;
  bool done = false;
  unsigned char exchanged[8]{};
};

struct Block {
  std::vector<Thread> threads;
  ucontext_t scheduler{};
  size_t current = 0;
  dim3 size, gridSize;
  uint3 index{};
  std::function<void()> body;
};

inline Block*& running() {
  static Block* block = nullptr;
  return block;
}
inline Thread& self() { return running()->threads[running()->current]; }

inline void waitFor(Waiting whom) {
  Thread& me = self();
  me.waiting = whom;
  swapcontext(&me.context, &running()->scheduler);
}

inline void enter() {
  running()->body();
  self().done = true;
}

constexpr size_t kWarpSize = 32, kStackBytes = 1 << 16;

// Resumes the threads of one warp, or of the block, once all that still run wait at the same kind of barrier.
inline bool release(Block& block, size_t first, size_t count, Waiting whom) {
  bool some = false;
  const size_t end = std::min(first + count, block.threads.size());
  for (size_t i = first; i < end; ++i) {
    if (block.threads[i].done) continue;
    if (block.threads[i].waiting != whom) return false;
    some = true;
  }
  for (size_t i = first; i < end; ++i) block.threads[i].waiting = Waiting::kNot;
  return some;
}

inline void runBlock(Block& block) {
  // We keep the stacks, since making them takes longer than running on them.
  static std::vector<std::unique_ptr<char[]>> stacks;
  while (stacks.size() < block.threads.size()) stacks.push_back(std::make_unique<char[]>(kStackBytes));
  running() = &block;
  for (size_t i = 0; i < block.threads.size(); ++i) {
    Thread& thread = block.threads[i];
    getcontext(&thread.context);
    thread.context.uc_stack.ss_sp = stacks[i].get();
    thread.context.uc_stack.ss_size = kStackBytes;
    thread.context.uc_link = &block.scheduler;
    makecontext(&thread.context, enter, 0);
  }
  for (;;) {
    bool progress = false, finished = true;
    for (size_t i = 0; i < block.threads.size(); ++i) {
      if (block.threads[i].done || block.threads[i].waiting != Waiting::kNot) continue;
      block.current = i;
      swapcontext(&block.scheduler, &block.threads[i].context);
      progress = true;
    }
    for (size_t first = 0; first < block.threads.size(); first += kWarpSize) {
      progress |= release(block, first, kWarpSize, Waiting::kForWarp);
    }
    progress |= release(block, 0, block.threads.size(), Waiting::kForBlock);
    for (const Thread& thread : block.threads) finished &= thread.done;
    if (finished) return;
    if (!progress) throw std::logic_error("a barrier of the kernel is not reached by all threads");
  }
}

}  // namespace dan::emulator

#define threadIdx (::dan::emulator::self().index)
#define blockIdx (::dan::emulator::running()->index)
#define blockDim (::dan::emulator::running()->size)
#define gridDim (::dan::emulator::running()->gridSize)

inline void __syncthreads() { ::dan::emulator::waitFor(::dan::emulator::Waiting::kForBlock); }

template <class T>
T __shfl_xor_sync(unsigned, T value, int laneMask) {
  using namespace ::dan::emulator;
  static_assert(sizeof(T) <= sizeof(Thread::exchanged));
  std::memcpy(self().exchanged, &value, sizeof(T));
  waitFor(Waiting::kForWarp);
  const size_t partner = running()->current ^ static_cast<size_t>(laneMask);
  std::memcpy(&value, running()->threads.at(partner).exchanged, sizeof(T));
  waitFor(Waiting::kForWarp);  // nobody may write the next value before this
  return value;
}

namespace dan::ops::cuda {

template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, cudaStream_t, Arguments... arguments) {
  if (grid.x * grid.y * grid.z == 0) throw std::logic_error("a launch of no blocks is an error");
  for (unsigned y = 0; y < grid.y; ++y) {
    for (unsigned x = 0; x < grid.x; ++x) {
      emulator::Block state;
      state.threads.resize(block.x);
      for (unsigned i = 0; i < block.x; ++i) state.threads[i].index = {i, 0, 0};
      state.size = block;
      state.gridSize = grid;
      state.index = {x, y, 0};
      state.body = [&] { kernel(arguments...); };
      emulator::runBlock(state);
    }
  }
}

}  // namespace dan::ops::cuda
