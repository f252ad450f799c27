/**
 * Sampling step by step: the latents of a batch of pairs, and what they look like so far.
 *
 * @module dualanodiff/tensors
 */
export type { Tensor } from './core/tensor.js';
export { PairBatch } from './model/pair-batch.js';
