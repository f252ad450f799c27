/** Serves the page. Its files hold no secrets. The page asks for the token and sends it with its requests. */
import type { FastifyInstance } from 'fastify';
import { readPageFiles } from '../page-files.js';

export async function addPageRoutes(app: FastifyInstance): Promise<void> {
  const { policy, files } = await readPageFiles();
  for (const [url, { contentType, content }] of files) {
    app.get(url, { logLevel: 'warn', config: { isPublic: true }, schema: { hide: true } }, (_request, reply) =>
      reply.type(contentType).header('content-security-policy', policy).send(content),
    );
  }
}
