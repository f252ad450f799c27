import type { Wheel } from '../wheels/wheel.js';

/** A wheel that libtorch is installed from. */
export interface LibtorchWheel extends Wheel {
  /** Matches the files to unpack. The other files of the wheel are for Python or are not needed at run time. */
  keep: RegExp;
  /** Matches the files that are unpacked for the variant `cuda` only. */
  cudaOnly?: RegExp;
}

/** Describes a wheel that only libtorch's CUDA libraries link to. */
function cudaWheel(name: string, version: string, tag: string, sha256: string, sizeMb: number): LibtorchWheel {
  const file = `${name.replaceAll('-', '_')}-${version}-${tag}`;
  return { name, version, file, sha256, sizeMb, keep: /^nvidia\/[^/]+\/lib\/[^/]+\.so/ };
}

/** The PyPI wheel of torch and the two small NVIDIA wheels that its CPU path links to. */
export const wheels: LibtorchWheel[] = [
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

/** The further wheels that libtorch_cuda links to. They take about 2 GB. */
export const cudaWheels: LibtorchWheel[] = [
  cudaWheel(
    'nvidia-cublas',
    '13.1.0.3',
    'py3-none-manylinux_2_27_x86_64.whl',
    'ee8722c1f0145ab246bccb9e452153b5e0515fd094c3678df50b2a0888b8b171',
    423,
  ),
  cudaWheel(
    'nvidia-cuda-nvrtc',
    '13.0.88',
    'py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl',
    'ad9b6d2ead2435f11cbb6868809d2adeeee302e9bb94bcf0539c7a40d80e8575',
    90,
  ),
  cudaWheel(
    'nvidia-cudnn-cu13',
    '9.19.0.56',
    'py3-none-manylinux_2_27_x86_64.whl',
    'd20e1734305e9d68889a96e3f35094d733ff1f83932ebe462753973e53a572bf',
    366,
  ),
  cudaWheel(
    'nvidia-cufft',
    '12.0.0.61',
    'py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl',
    '6c44f692dce8fd5ffd3e3df134b6cdb9c2f72d99cf40b62c32dde45eea9ddad3',
    214,
  ),
  cudaWheel(
    'nvidia-cufile',
    '1.15.1.6',
    'py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl',
    '08a3ecefae5a01c7f5117351c64f17c7c62efa5fffdbe24fc7d298da19cd0b44',
    1,
  ),
  cudaWheel(
    'nvidia-curand',
    '10.4.0.35',
    'py3-none-manylinux_2_27_x86_64.whl',
    '1aee33a5da6e1db083fe2b90082def8915f30f3248d5896bcec36a579d941bfc',
    60,
  ),
  cudaWheel(
    'nvidia-cusolver',
    '12.0.4.66',
    'py3-none-manylinux_2_27_x86_64.whl',
    '0a759da5dea5c0ea10fd307de75cdeb59e7ea4fcb8add0924859b944babf1112',
    201,
  ),
  cudaWheel(
    'nvidia-cusparse',
    '12.6.3.3',
    'py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl',
    '2b3c89c88d01ee0e477cb7f82ef60a11a4bcd57b6b87c33f789350b59759360b',
    146,
  ),
  cudaWheel(
    'nvidia-cusparselt-cu13',
    '0.8.0',
    'py3-none-manylinux2014_x86_64.whl',
    '25e30a8a7323935d4ad0340b95a0b69926eee755767e8e0b1cf8dd85b197d3fd',
    170,
  ),
  cudaWheel(
    'nvidia-nccl-cu13',
    '2.28.9',
    'py3-none-manylinux_2_18_x86_64.whl',
    'e4553a30f34195f3fa1da02a6da3d6337d28f2003943aa0a3d247bbc25fefc42',
    196,
  ),
  cudaWheel(
    'nvidia-nvjitlink',
    '13.0.88',
    'py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl',
    '13a74f429e23b921c1109976abefacc69835f2f433ebd323d3946e11d804e47b',
    41,
  ),
  cudaWheel(
    'nvidia-nvshmem-cu13',
    '3.4.5',
    'py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl',
    '290f0a2ee94c9f3687a02502f3b9299a9f9fe826e6d0287ee18482e78d495b80',
    60,
  ),
];

/** Matches torch's Python libraries, which are never unpacked. */
export const PYTHON_ONLY = /libtorch_python|_C\.|libshm/;
