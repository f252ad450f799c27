/** The options' settings by name. */
export { SAMPLING_PRESETS } from './schemas.js';
