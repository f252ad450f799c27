/**
 * Exports the options of every job, with names, schemas and documentation, for services and user interfaces.
 * @module dualanodiff/options
 */
export type { JobKind } from './jobs.js';
export { type JsonSchema, openApiSchemas } from './json-schema.js';
