/** Serves the page. Its files hold no secrets. The page asks for the token and sends it with its requests. */
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { packageRoot } from '../../core/paths.js';
import { readPageFiles } from '../../report/page-files.js';
import { PAGE_STYLE } from '../page-style.js';

const PAGE = {
  modules: join(packageRoot, 'dist', 'service', 'page'), // The browser needs the compiled modules.
  title: 'dualanodiff',
  style: PAGE_STYLE,
  images: "'self' blob: data:",
};

export async function addPageRoutes(app: FastifyInstance): Promise<void> {
  const { policy, files } = await readPageFiles(PAGE);
  for (const [url, { contentType, content }] of files) {
    app.get(url, { logLevel: 'warn', config: { isPublic: true }, schema: { hide: true } }, (_request, reply) =>
      reply.type(contentType).header('content-security-policy', policy).send(content),
    );
  }
}
