/** Serves the files of jobs. */
import { extname } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { jobFileKey, jobPrefix } from '../../store/results.js';
import type { ByteRange } from '../../store/store.js';
import type { ServiceContext } from '../context.js';
import { serviceError } from '../errors.js';
import * as schemas from '../schemas.js';

const TYPES: Record<string, string> = {
  ...{ '.png': 'image/png', '.json': 'application/json', '.jsonl': 'application/x-ndjson' },
  ...{ '.html': 'text/html; charset=utf-8', '.csv': 'text/csv; charset=utf-8', '.md': 'text/markdown; charset=utf-8' },
};

/** A report runs its own script, but cannot use the service in the name of who looks at it. */
const POLICY = 'sandbox allow-scripts';

const answer = z.string().describe('The content of the file, or the requested range of its bytes.');

/**
 * Reads the header Range. Returns undefined for no range, and for units and several ranges, which a server may ignore.
 * Throws ERR_RANGE for a range outside of the file.
 */
function rangeOf(header: string | undefined, size: number): ByteRange | undefined {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? [];
  if (first === undefined || last === undefined || first + last === '') return undefined;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== '' && last !== '' && Number(last) < start) return undefined;
  if (start >= size || (first === '' && Number(last) === 0)) {
    throw serviceError('ERR_RANGE', `The file has ${size} bytes: request a range inside of it`);
  }
  return { start, end };
}

type FileRequest = FastifyRequest<{ Params: z.output<typeof schemas.fileParams> }>;

export function addFileRoutes(app: FastifyInstance, { queue, store }: ServiceContext): void {
  app.get<{ Params: z.output<typeof schemas.jobParams> }>(
    '/v1/jobs/:id/files',
    {
      schema: {
        operationId: 'listFiles',
        summary: 'List the files that a job has written so far.',
        params: schemas.jobParams,
        response: { 200: schemas.fileList },
      },
    },
    async ({ params: { id } }) => {
      await queue.get(id);
      const prefix = `${jobPrefix(id)}/files`;
      const files: { path: string; bytes: number }[] = [];
      for await (const { key, size } of store.list(prefix))
        files.push({ path: key.slice(prefix.length + 1), bytes: size });
      return { files };
    },
  );

  /** Finds a file and sets the headers of the answer. */
  const describeFile = async ({ params: { id, '*': path }, headers }: FileRequest, reply: FastifyReply) => {
    const key = jobFileKey(id, path);
    const found = await store.head(key);
    if (!found) throw serviceError('ERR_NOT_FOUND', `The job ${id} has no file ${path}`);
    const { size } = found;
    reply.header('accept-ranges', 'bytes').header('content-security-policy', POLICY);
    let range: ByteRange | undefined;
    try {
      range = rangeOf(headers.range, size);
    } catch (error) {
      reply.header('content-range', `bytes */${size}`);
      throw error;
    }
    if (range) reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${size}`);
    reply.type(TYPES[extname(path)] ?? 'application/octet-stream');
    reply.header('content-length', range ? range.end - range.start + 1 : size);
    // A file that grows in the meantime must not have more bytes than the header says.
    return { key, range: range ?? { start: 0, end: size - 1 } };
  };
  const url = '/v1/jobs/:id/files/*';
  const options = { exposeHeadRoute: false, config: { answers: 'application/octet-stream' } };
  const schema = { params: schemas.fileParams, response: { 200: answer, 206: answer } };
  app.get(
    url,
    {
      ...options,
      schema: { operationId: 'getFile', summary: 'Fetch a file of a job, or a range of its bytes.', ...schema },
    },
    async (request, reply) => {
      const { key, range } = await describeFile(request as FileRequest, reply);
      if (range.end < range.start) return reply.send('');
      return reply.send(await store.get(key, range));
    },
  );
  app.head(url, { ...options, schema: { ...schema, hide: true } }, async (request, reply) => {
    await describeFile(request as FileRequest, reply);
    return reply.send();
  });
}
