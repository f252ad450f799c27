/** One package of the libtorch that is installed, pinned by the SHA-256 of its wheel. */
export interface Wheel {
    name: string;
    version: string;
    file: string;
    sha256: string;
    sizeMb: number;
    /** What is unpacked: everything else in the wheel is Python's or not needed at run time. */
    keep: RegExp;
    /** What is left out unless a CUDA libtorch is asked for. */
    cudaOnly?: RegExp;
}
/** The PyPI wheel of torch and the two small NVIDIA wheels that its CPU path links to. */
export declare const wheels: Wheel[];
/** What libtorch_cuda links to besides: 2 GB. */
export declare const cudaWheels: Wheel[];
/** Never unpacked: Python's own part of torch. */
export declare const PYTHON_ONLY: RegExp;
