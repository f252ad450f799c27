/**
 * Serves the page of the service, and that of reviews. Their files hold no secrets: the first page asks for the token and
 * sends it with its requests, and the requests of the second one need the cookie that the first one gets.
 */
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { packageRoot } from '../../core/paths.js';
import { type PageFile, readPageFiles } from '../../report/page-files.js';
import { REVIEW_PAGE } from '../../review/review.js';
import { PAGE_STYLE } from '../page-style.js';

const modulesOf = (folder: string) => join(packageRoot, 'dist', folder, 'page'); // The browser needs the compiled modules.

const PAGE = { modules: modulesOf('service'), title: 'dualanodiff', style: PAGE_STYLE, images: "'self' blob: data:" };
const REVIEW = { ...REVIEW_PAGE, modules: modulesOf('review'), below: '/review' };

export async function addPageRoutes(app: FastifyInstance): Promise<void> {
  const add = (url: string, { contentType, content }: PageFile, policy: string) =>
    app.get(url, { logLevel: 'warn', config: { isPublic: true }, schema: { hide: true } }, (_request, reply) =>
      reply.type(contentType).header('content-security-policy', policy).send(content),
    );
  const page = await readPageFiles(PAGE);
  for (const [url, file] of page.files) add(url, file, page.policy);
  const review = await readPageFiles(REVIEW);
  for (const [url, file] of review.files) {
    if (url === '/') add('/v1/jobs/:id/review/', file, review.policy);
    else if (!page.files.has(url)) add(url, file, review.policy);
  }
}
