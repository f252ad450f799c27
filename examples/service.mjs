// Pairs over HTTP: GET /pairs?count=2&seed=7 answers with server-sent events, `progress` while it works and `pair` (PNGs in
// base64) as each pair is ready. When the client goes away, the work ends within one denoising step.
// node examples/service.mjs ADAPTER PORT
import { DualAnoDiff, DualAnoDiffError, Masker, Sampler } from 'dualanodiff';
import Fastify from 'fastify';

const [adapter, port = '8080'] = process.argv.slice(2);
const model = await DualAnoDiff.load();
const sampler = await Sampler.create(model, adapter);
const masker = Masker.threshold();
const png = async (image) => (await image.toSharp().png().toBuffer()).toString('base64');

const app = Fastify({ forceCloseConnections: true }); // a client that keeps its connection must not keep the service
const querystring = {
  type: 'object',
  properties: {
    count: { type: 'integer', minimum: 1, maximum: 1000, default: 1 },
    seed: { type: 'integer', minimum: 0, default: 0 },
    steps: { type: 'integer', minimum: 1, maximum: 100, default: 20 },
  },
};
app.get('/pairs', { schema: { querystring } }, async (request, reply) => {
  const { count, seed, steps } = request.query;
  const abort = new AbortController();
  reply.raw.on('close', () => abort.abort());
  reply.hijack();
  reply.raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  const send = (event, data) => reply.raw.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  const onProgress = (step, of) => send('progress', { step, steps: of });
  const options = { count, seed, steps, batchSize: 1, signal: abort.signal, onProgress };
  try {
    for await (const pair of sampler.sample(options)) {
      const mask = await masker.mask(pair.part, { signal: abort.signal });
      send('pair', { index: pair.index, image: await png(pair.image), mask: await png(mask), coverage: mask.coverage });
    }
    send('end', { count });
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
    await sampler.dispose();
    await model.dispose();
  });
}
console.log(`listening on ${await app.listen({ port: Number(port) })}`);
