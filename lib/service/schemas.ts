/** Declares what requests and answers hold. The OpenAPI document is made from these schemas. */
import { z } from 'zod';
import { integer } from '../options/check.js';
import { type JobKind, jobKinds } from '../options/jobs.js';
import { datasetName, jobIdPattern, requestOptions } from '../options/requests.js';
import { jobStates } from '../queue/job-queue.js';

const MAX_PAGE = 500;
const DEFAULT_PAGE = 100;
const capitalized = (word: string) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`;

export const jobId = () =>
  z.string('a job identifier').regex(jobIdPattern, 'the identifier of a job, 32 hexadecimal digits');

const priority = integer(0, 100).default(0).describe('Jobs with a larger number start earlier.');

const requestOf = (kind: JobKind) =>
  z
    .strictObject({ kind: z.literal(kind), options: z.strictObject(requestOptions[kind], 'an object'), priority })
    .meta({ id: `${capitalized(kind)}Request`, title: `${capitalized(kind)}Request` });

export const jobRequest = z
  .discriminatedUnion(
    'kind',
    jobKinds.map(requestOf) as unknown as [ReturnType<typeof requestOf>, ...ReturnType<typeof requestOf>[]],
    `an object with a kind, one of ${jobKinds.join(', ')}`,
  )
  .meta({ id: 'JobRequest' });

export const jobParams = z.strictObject({ id: jobId() });
export const fileParams = z.strictObject({
  id: jobId(),
  '*': z.string('a path').min(1, 'a path').describe("The path of the file below the job's files."),
});
export const datasetParams = z.strictObject({ name: datasetName() });

/** Values of a query are texts. */
const pageSize = z.coerce
  .number(`an integer 1..${MAX_PAGE}`)
  .int(`an integer 1..${MAX_PAGE}`)
  .min(1, `an integer 1..${MAX_PAGE}`)
  .max(MAX_PAGE, `an integer 1..${MAX_PAGE}`)
  .default(DEFAULT_PAGE);
export const pageQuery = z.strictObject({
  state: z.enum(jobStates, `one of ${jobStates.join(', ')}`).optional(),
  kind: z.enum(jobKinds, `one of ${jobKinds.join(', ')}`).optional(),
  limit: pageSize,
  after: jobId().optional().describe('Continue after this job, the `next` of the page before.'),
});
export const adapterQuery = pageQuery.pick({ limit: true, after: true });

/** Other headers of a request are nobody's business here. */
export const submitHeaders = z.looseObject({
  'idempotency-key': z
    .string('a text')
    .regex(/^[\x21-\x7e]{1,200}$/, '1 to 200 visible characters')
    .optional()
    .describe('A second request with the same key returns the job of the first one.'),
});
export const eventHeaders = z.looseObject({
  'last-event-id': z
    .string('a text')
    .regex(/^\d{1,15}(-\d{1,15})?$/, 'the identifier of an event')
    .optional()
    .describe('Continue after this event.'),
});

const failure = z.object({ code: z.string(), message: z.string() });
export const errorAnswer = z.object({ error: failure }).meta({ id: 'Error' });

const anyObject = z.record(z.string(), z.unknown());
export const job = z
  .object({
    id: jobId(),
    kind: z.enum(jobKinds),
    options: anyObject,
    datasets: z.record(z.string(), z.string()).describe('The digests of the datasets that the options name.'),
    priority: z.int(),
    state: z.enum(jobStates),
    created: z.iso.datetime(),
    started: z.iso.datetime().optional(),
    finished: z.iso.datetime().optional(),
    attempts: z
      .int()
      .describe('The number of times that the job was started. Each step of a campaign on a queue is a start.'),
    parent: jobId().optional().describe('The job that this one is a part of.'),
    result: anyObject.optional(),
    error: failure.optional(),
  })
  .meta({ id: 'Job' });
export const jobPage = z.object({ jobs: z.array(job), next: jobId().optional() }).meta({ id: 'JobPage' });

const file = z.object({ path: z.string(), bytes: z.int() });
export const fileList = z.object({ files: z.array(file) }).meta({ id: 'FileList' });

const datasetFields = {
  name: z.string(),
  digest: z.string().describe('The SHA-256 of the paths and contents.'),
  files: z.int(),
  bytes: z.int(),
  created: z.iso.datetime(),
};
export const dataset = z.object(datasetFields).meta({ id: 'Dataset' });
export const uploadedDataset = z
  .object({ ...datasetFields, leftOut: z.int().describe('The number of hidden files that were left out.') })
  .meta({ id: 'UploadedDataset' });
export const datasetList = z.object({ datasets: z.array(dataset) }).meta({ id: 'DatasetList' });

const adapter = z
  .object({
    name: z.string().describe('The value for the option `adapter` of a job.'),
    job: jobId(),
    type: z.string().optional(),
    data: z.string().optional().describe('What the adapter was trained on.'),
    created: z.iso.datetime(),
  })
  .meta({ id: 'Adapter' });
export const adapterPage = z
  .object({ adapters: z.array(adapter), next: jobId().optional() })
  .meta({ id: 'AdapterPage' });

export const queueState = z
  .object({ paused: z.boolean(), jobs: z.record(z.enum(jobStates), z.int()) })
  .meta({ id: 'QueueState' });

const worker = z
  .object({
    id: z.string(),
    host: z.string(),
    device: z.string().describe('The name of the GPU, or `cpu`.'),
    memoryBytes: z.int().describe('The memory of the device.'),
    gpuUsedBytes: z.int().optional().describe('The memory of the GPU that is in use. It is absent without a GPU.'),
    bases: z.array(z.string()).describe('The bases that jobs may use beside the embedded one.'),
    since: z.iso.datetime(),
    jobs: z.array(jobId()).describe('The jobs that run now.'),
    rates: z
      .array(z.object({ stage: z.string(), unit: z.string(), perSecond: z.number() }))
      .describe('The units that each stage has done in a second, over the last minute.'),
  })
  .meta({ id: 'Worker' });
export const workerList = z.object({ workers: z.array(worker) }).meta({ id: 'WorkerList' });
export const metricsText = z.string().describe('The metrics in the text format of Prometheus.');
export const health = z.object({ status: z.literal('ok') }).meta({ id: 'Health' });
