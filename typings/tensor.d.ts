/** Numbers row by row, as they cross to the engine and back. */
export interface Tensor {
    data: Float32Array;
    shape: number[];
}
/** The tensor, checked. Throws ERR_INVALID_OPTION naming `name`. */
export declare function checkTensor(tensor: Tensor, name: string): Tensor;
