# Each file of CPU kernels (kernels.h) is compiled for its own instruction set, and is called only on CPUs that have it.
set(DAN_CPU_KERNELS "")
foreach(name kernels avx2 avx512 avx512_bf16 amx)
  list(APPEND DAN_CPU_KERNELS "${CMAKE_CURRENT_LIST_DIR}/${name}.cpp")
endforeach()
set(DAN_KERNEL_OPTIONS -O3 -Wno-uninitialized -Wno-maybe-uninitialized -mfma -mf16c)
set(DAN_AVX512 -mavx512f -mavx512bw -mavx512vl -mavx512dq)
set_source_files_properties("${CMAKE_CURRENT_LIST_DIR}/avx2.cpp"
  PROPERTIES SKIP_PRECOMPILE_HEADERS ON COMPILE_OPTIONS "${DAN_KERNEL_OPTIONS};-mavx2")
set_source_files_properties("${CMAKE_CURRENT_LIST_DIR}/avx512.cpp"
  PROPERTIES SKIP_PRECOMPILE_HEADERS ON COMPILE_OPTIONS "${DAN_KERNEL_OPTIONS};${DAN_AVX512}")
set_source_files_properties("${CMAKE_CURRENT_LIST_DIR}/avx512_bf16.cpp"
  PROPERTIES SKIP_PRECOMPILE_HEADERS ON COMPILE_OPTIONS "${DAN_KERNEL_OPTIONS};${DAN_AVX512};-mavx512bf16")
# This file has instructions for AMX only, so that the tests can emulate each of them on other CPUs.
set_source_files_properties("${CMAKE_CURRENT_LIST_DIR}/amx.cpp"
  PROPERTIES SKIP_PRECOMPILE_HEADERS ON COMPILE_OPTIONS -O3)
