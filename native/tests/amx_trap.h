// CPUs without AMX raise an illegal-instruction signal at each of its instructions. While an object of this class
// exists, the signal's handler carries out those instructions on the model (amx_model.h), so that the machine code of
// amx.cpp itself runs on any x86-64 CPU. On a CPU that has AMX there is no signal, and the instructions run.
#pragma once

#include <csignal>
#include <cstdint>

namespace dan::tests {

class AmxTrap {
 public:
  AmxTrap();
  ~AmxTrap();
  AmxTrap(const AmxTrap&) = delete;
  AmxTrap& operator=(const AmxTrap&) = delete;

  // Returns the number of instructions that any object of this class has emulated so far.
  static int64_t emulated();

 private:
  struct sigaction before_;
};

}  // namespace dan::tests
