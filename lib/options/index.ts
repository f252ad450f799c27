/**
 * The options' settings by name.
 *
 * @module dualanodiff/options
 */
export { SAMPLING_PRESETS } from './schemas.js';
