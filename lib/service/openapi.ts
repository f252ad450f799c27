/** Makes the OpenAPI document from the schemas of the routes, and lets the same schemas check the requests. */
import swagger from '@fastify/swagger';
import type { FastifyInstance, FastifySchema } from 'fastify';
import { z } from 'zod';
import { checkOptions } from '../options/check.js';
import { documentationOf, hasNotes } from '../options/option.js';
import { errorAnswer } from './schemas.js';

type JsonObject = Record<string, unknown>;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The content types of a body that the route reads as a stream. */
    uploads?: string[];
    /** The content type of an answer that is no JSON. */
    answers?: string;
  }
}

/** Writes schemas for the document. Those with an identifier become components, to which the others refer. */
class Components {
  readonly schemas: Record<string, JsonObject> = {};

  of(schema: z.ZodType, io: 'input' | 'output'): JsonObject {
    const json = z.toJSONSchema(schema, {
      io,
      target: 'draft-2020-12',
      unrepresentable: 'any',
      override: ({ zodSchema, jsonSchema }) => {
        const inner = zodSchema as unknown as z.ZodType;
        if (hasNotes(inner)) jsonSchema.description = documentationOf(inner);
      },
    });
    const text = JSON.stringify(json).replaceAll('"#/$defs/', '"#/components/schemas/');
    const {
      $schema: _,
      $defs = {},
      id,
      ...rest
    } = JSON.parse(text) as JsonObject & { $defs?: Record<string, JsonObject> };
    for (const [name, { id: __, ...definition }] of Object.entries($defs)) this.schemas[name] = definition;
    if (typeof id !== 'string') return rest;
    this.schemas[id] = rest;
    return { $ref: `#/components/schemas/${id}` };
  }
}

const json = (description: string, schema: JsonObject) => ({
  description,
  content: { 'application/json': { schema } },
});

/** Turns the schemas of a route into those of the document. */
function documented(
  schema: FastifySchema,
  components: Components,
  config: { uploads?: string[]; answers?: string },
): FastifySchema {
  const parts: JsonObject = {};
  for (const part of ['params', 'querystring', 'headers', 'body'] as const) {
    if (schema[part]) parts[part] = components.of(schema[part] as z.ZodType, 'input');
  }
  const { uploads, answers } = config;
  if (uploads) Object.assign(parts, { consumes: uploads, body: { type: 'string', format: 'binary' } });
  const response: JsonObject = {};
  for (const [status, answer] of Object.entries((schema.response ?? {}) as Record<string, z.ZodType>)) {
    const description = answer.description ?? 'The answer.';
    if (answer instanceof z.ZodNull) response[status] = { description, type: 'null' };
    else
      response[status] = answers
        ? { description, content: { [answers]: { schema: components.of(answer, 'output') } } }
        : json(description, components.of(answer, 'output'));
  }
  response.default = json('The error.', components.of(errorAnswer, 'output'));
  return { ...schema, ...parts, response };
}

/**
 * Checks each part of a request by its schema, and adds the defaults. A body stays as it is, because jobs choose some
 * defaults by what is given.
 */
export function checkBySchemas(app: FastifyInstance): void {
  app.setValidatorCompiler(({ schema, httpPart }) => (data) => {
    try {
      const checked = checkOptions(schema as unknown as z.ZodType, data);
      return { value: httpPart === 'body' ? data : checked };
    } catch (error) {
      return { error: error as Error };
    }
  });
  app.setSerializerCompiler(() => JSON.stringify);
}

/**
 * Adds `GET /openapi.json`. It must be called before the routes are added. A service without tokens describes itself as
 * such, so that generated clients and tests ask for none.
 */
export async function addOpenApi(app: FastifyInstance, version: string, needsToken: boolean): Promise<void> {
  const components = new Components();
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'dualanodiff',
        version,
        description: 'Learns defects from a few photographs and generates pairs of images and masks.',
      },
      ...(needsToken && {
        components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
        security: [{ token: [] }],
      }),
    },
    transform: ({ schema, url, route }) => {
      const made = documented(schema ?? {}, components, route.config ?? {});
      // The router's name of the rest of an address is no name that a client could use.
      return { url: url.replace('*', ':path'), schema: JSON.parse(JSON.stringify(made).replaceAll('"*"', '"path"')) };
    },
    transformObject: (document) => {
      const { openapiObject } = document as { openapiObject: JsonObject & { components: JsonObject } };
      return { ...openapiObject, components: { ...openapiObject.components, schemas: components.schemas } } as never;
    },
  });
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
}
