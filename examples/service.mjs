// Pairs over HTTP: GET /pairs?count=2&seed=7 answers with server-sent events, `progress` while it works and `pair` (PNGs in
// base64) as each is ready. When the client goes away, the work ends within one denoising step. GET /openapi.json
// describes the service with the package's own option schemas.
// node examples/service.mjs ADAPTER PORT
import { Adapter, DualAnoDiff, DualAnoDiffError } from 'dualanodiff';
import { openApiSchemas } from 'dualanodiff/options';
import Fastify from 'fastify';

const [file, port = '8080'] = process.argv.slice(2);
const model = await DualAnoDiff.load();
const adapter = await Adapter.load(file);
const png = async (image) => (await image.toSharp().png().toBuffer()).toString('base64');

const schemas = openApiSchemas();
const { count, seed, steps } = schemas.GenerateJobOptions.properties;
const properties = { count: { ...count, maximum: 1000 }, seed, steps };
const parameters = Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', schema }));
const content = { 'text/event-stream': { schema: { type: 'string' } } };
const document = {
  openapi: '3.1.0',
  info: { title: 'Pairs of one adapter', version: '1.0.0' },
  paths: { '/pairs': { get: { parameters, responses: { 200: { description: 'Progress and pairs', content } } } } },
  components: { schemas },
};

const app = Fastify({ forceCloseConnections: true }); // A client that keeps its connection must not keep the service.
app.get('/openapi.json', () => document);
app.get('/pairs', { schema: { querystring: { type: 'object', properties } } }, async (request, reply) => {
  const abort = new AbortController();
  reply.raw.on('close', () => abort.abort());
  reply.hijack();
  reply.raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  const send = (event, data) => reply.raw.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  const onProgress = (step, of) => send('progress', { step, steps: of });
  try {
    for await (const pair of model.generate(adapter, { ...request.query, batchSize: 1, signal: abort.signal, onProgress })) {
      send('pair', { index: pair.index, image: await png(pair.image), mask: await png(pair.mask) });
    }
    send('end', { count: request.query.count });
  } catch (error) {
    if (!(error instanceof DualAnoDiffError)) throw error;
    console.log(`request ended: ${error.code}`);
    send('error', { code: error.code, message: error.message });
  } finally {
    reply.raw.end();
  }
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await app.close();
    await adapter.dispose();
    await model.dispose();
  });
}
console.log(`listening on ${await app.listen({ port: Number(port) })}`);
