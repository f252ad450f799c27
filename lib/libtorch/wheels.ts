/** One package of the libtorch that is installed, pinned by the SHA-256 of its wheel. */
export interface Wheel {
  name: string;
  version: string;
  file: string;
  sha256: string;
  sizeMb: number;
  /** What is unpacked: everything else in the wheel is Python's or not needed at run time. */
  keep: RegExp;
  /** Left out unless a CUDA libtorch is asked for. */
  cudaOnly?: RegExp;
}

/** The PyPI wheel of torch and the two small NVIDIA wheels that its CPU path links to. */
export const wheels: Wheel[] = [
  {
    name: 'torch',
    version: '2.11.0',
    file: 'torch-2.11.0-cp312-cp312-manylinux_2_28_x86_64.whl',
    sha256: '0f68f4ac6d95d12e896c3b7a912b5871619542ec54d3649cf48cc1edd4dd2756',
    sizeMb: 531,
    keep: /^torch\/(lib\/[^/]+\.so[^/]*$|include\/|version\.py$)/,
    cudaOnly: /^torch\/lib\/(libtorch_cuda|libc10_cuda|libtorch_nvshmem|libcaffe2_nvrtc|libtorch_cuda_linalg)/,
  },
  {
    name: 'nvidia-cuda-runtime',
    version: '13.0.96',
    file: 'nvidia_cuda_runtime-13.0.96-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl',
    sha256: '7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548',
    sizeMb: 2,
    keep: /^nvidia\/cu13\/(lib\/libcudart\.so|include\/)/,
  },
  {
    name: 'nvidia-cuda-cupti',
    version: '13.0.85',
    file: 'nvidia_cuda_cupti-13.0.85-py3-none-manylinux_2_25_x86_64.whl',
    sha256: '4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8',
    sizeMb: 11,
    keep: /^nvidia\/cu13\/lib\/libcupti\.so/,
  },
];

/** Never unpacked: Python's own part of torch. */
export const PYTHON_ONLY = /libtorch_python|_C\.|libshm/;
