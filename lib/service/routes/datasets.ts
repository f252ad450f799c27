/** Receives datasets, and lists them. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { withFileErrors } from '../../core/errors.js';
import { listDatasets, publishDataset } from '../../store/datasets.js';
import { LocalPaths } from '../../worker/local-paths.js';
import { receiveArchive, unpackArchive } from '../archive/unpack.js';
import { checkImages } from '../check-images.js';
import type { ServiceContext } from '../context.js';
import { serviceError } from '../errors.js';
import { findDataset } from '../find-dataset.js';
import * as schemas from '../schemas.js';

/** Uploads need room on the disk, twice. */
const MAX_UPLOADS = 2;
const ARCHIVES = ['application/x-tar', 'application/gzip', 'application/zip', 'application/octet-stream'];

/** Lets a connection stay silent until its request is answered, because unpacking and storing may take minutes. */
function keepOpen({ socket }: IncomingMessage): void {
  if (socket instanceof Socket) socket.setTimeout(0); // An injected request has no connection.
}

export async function addDatasetRoutes(
  app: FastifyInstance,
  { store, workFolder, limits }: ServiceContext,
): Promise<void> {
  let uploads = 0;
  app.get(
    '/v1/datasets',
    { schema: { operationId: 'listDatasets', summary: 'List the datasets.', response: { 200: schemas.datasetList } } },
    async () => {
      const datasets = [];
      for await (const dataset of listDatasets(store)) datasets.push(dataset);
      return { datasets };
    },
  );
  app.get<{ Params: z.output<typeof schemas.datasetParams> }>(
    '/v1/datasets/:name',
    {
      schema: {
        operationId: 'getDataset',
        summary: 'Describe a dataset.',
        params: schemas.datasetParams,
        response: { 200: schemas.dataset },
      },
    },
    ({ params }) => findDataset(store, params.name),
  );
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null)); // The route reads the stream itself.
    scope.put<{ Params: z.output<typeof schemas.datasetParams> }>(
      '/v1/datasets/:name',
      {
        config: { uploads: ARCHIVES },
        schema: {
          operationId: 'putDataset',
          summary:
            'Upload a dataset as a tar archive, also a compressed one, or a zip archive. It replaces the one of the name.',
          params: schemas.datasetParams,
          response: { 200: schemas.uploadedDataset },
        },
      },
      async (request) => {
        if (uploads >= MAX_UPLOADS)
          throw serviceError('ERR_BUSY', `${MAX_UPLOADS} datasets are being uploaded: try again later`);
        uploads++;
        let folder = workFolder;
        try {
          folder = await withFileErrors('create', workFolder, () => mkdtemp(join(workFolder, 'upload-')));
          const [archive, content] = [join(folder, 'archive'), join(folder, 'content')];
          await mkdir(content);
          await receiveArchive(request.raw, archive, limits);
          keepOpen(request.raw);
          const { leftOut } = await unpackArchive(archive, content, limits);
          await checkImages(content);
          const dataset = await publishDataset(store, request.params.name, content);
          request.log.info({ dataset: dataset.name, digest: dataset.digest }, 'dataset uploaded');
          return { ...dataset, leftOut };
        } catch (error) {
          throw new LocalPaths([join(folder, 'content'), folder]).inError(error);
        } finally {
          uploads--;
          if (folder !== workFolder)
            await rm(folder, { recursive: true, force: true }).catch((err) => {
              request.log.warn({ err }, 'the folder of an upload stays until the service starts again'); // The answer is known.
            });
        }
      },
    );
  });
}
