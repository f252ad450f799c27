/** Makes JSON Schemas of the options, for OpenAPI and for the types of the package. */
import { z } from 'zod';
import { jobKinds, jobOptions } from './jobs.js';
import { documentationOf, hasNotes, type OptionSet } from './option.js';

export type JsonSchema = z.core.JSONSchema.BaseSchema;

/** Returns one JSON Schema of the values that a caller may give for a set of options, with their documentation. */
export function jsonSchemaOf(set: OptionSet, target: 'draft-2020-12' | 'draft-7' = 'draft-2020-12'): JsonSchema {
  return z.toJSONSchema(z.strictObject(set), {
    target,
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      const schema = zodSchema as unknown as z.ZodType;
      if (hasNotes(schema)) jsonSchema.description = documentationOf(schema);
    },
  });
}

const capitalized = (word: string) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`;

/**
 * Returns the `components.schemas` of an OpenAPI 3.1 document. Each holds the options of one kind of job, such as
 * `LearnJobOptions`.
 */
export function openApiSchemas(): Record<string, JsonSchema> {
  return Object.fromEntries(
    jobKinds.map((kind) => {
      const { $schema: _, ...schema } = jsonSchemaOf(jobOptions[kind]);
      return [`${capitalized(kind)}JobOptions`, schema];
    }),
  );
}
