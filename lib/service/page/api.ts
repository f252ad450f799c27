/** Calls the service. */

export interface Job {
  id: string;
  kind: string;
  options: Record<string, unknown>;
  state: 'queued' | 'running' | 'completed' | 'failed' | 'cancelled';
  created: string;
  attempts: number;
  parent?: string;
  error?: { code: string; message: string };
}

export interface Worker {
  id: string;
  host: string;
  /** The name of the GPU, or `cpu`. */
  device: string;
  memoryBytes: number;
  gpuUsedBytes?: number;
  bases: string[];
  jobs: string[];
  rates: { stage: string; unit: string; perSecond: number }[];
}

/** The fields of the events that the page shows. */
export interface JobEvent {
  event: 'state' | 'progress' | 'pair' | 'file' | 'note' | 'warning' | 'end';
  state?: string;
  stage?: string;
  unit?: string;
  done?: number;
  total?: number;
  loss?: number;
  index?: number;
  image?: string;
  mask?: string;
  path?: string;
  message?: string;
}

/** The service wants a token, or does not know the one that the page has. */
export class TokenError extends Error {}

/** There is no such thing, or nothing can have this name. */
export class MissingError extends Error {}

/** The browser forgets the token with the tab. */
const KEY = 'dualanodiff-token';
export const setToken = (token: string): void => sessionStorage.setItem(KEY, token);

async function request(path: string, init: RequestInit = {}): Promise<Response> {
  const token = sessionStorage.getItem(KEY);
  const headers = { ...init.headers, ...(token && { authorization: `Bearer ${token}` }) };
  const response = await fetch(path, { ...init, headers });
  if (response.ok) return response;
  // A proxy in front of the service answers with a page of its own while the service is away.
  const answer = (await response.json().catch(() => undefined)) as { error?: { message: string } } | undefined;
  const message = answer?.error?.message ?? `${response.status} ${response.statusText}`;
  if (response.status === 401) throw new TokenError(message);
  throw response.status === 404 || response.status === 400 ? new MissingError(message) : new Error(message);
}

/** The list is read again and again. A request that hangs, for example after the computer has slept, must not end that. */
const READ_MS = 30_000;
const read = (path: string): Promise<Response> => request(path, { signal: AbortSignal.timeout(READ_MS) });

/** The list grows by this number of jobs. */
export const PAGE_SIZE = 100;

/** Returns the newest jobs, `count` of them, and whether there are older ones. */
export async function listJobs(count: number): Promise<{ jobs: Job[]; hasOlder: boolean }> {
  const jobs: Job[] = [];
  let after: string | undefined;
  do {
    const query = `limit=${PAGE_SIZE}${after === undefined ? '' : `&after=${after}`}`;
    const page = (await (await read(`v1/jobs?${query}`)).json()) as { jobs: Job[]; next?: string };
    jobs.push(...page.jobs);
    after = page.next;
  } while (after !== undefined && jobs.length < count);
  return { jobs, hasOlder: after !== undefined };
}

export const getJob = async (id: string): Promise<Job> => (await read(`v1/jobs/${encodeURIComponent(id)}`)).json();

export async function listWorkers(): Promise<Worker[]> {
  const { workers } = (await (await read('v1/workers')).json()) as { workers: Worker[] };
  return workers;
}

export const cancelJob = (id: string): Promise<unknown> => request(`v1/jobs/${id}`, { method: 'DELETE' });
export const retryJob = (id: string): Promise<unknown> => request(`v1/jobs/${id}/retry`, { method: 'POST' });

/** Lets this browser into the review of a job's pairs. Returns the address of its page. */
export async function openReview(id: string): Promise<string> {
  const { page } = (await (await request(`v1/jobs/${id}/review`, { method: 'POST' })).json()) as { page: string };
  return page;
}

const addressOf = (id: string, path: string) =>
  `v1/jobs/${id}/files/${path.split('/').map(encodeURIComponent).join('/')}`;

/** Fetches a file of a job. An image element cannot send the token, so that it gets the content under an address of its own. */
export async function fetchFile(id: string, path: string): Promise<string> {
  return URL.createObjectURL(await (await request(addressOf(id, path))).blob());
}

/** Reads the events of one connection. Returns whether there are no more. */
async function readEvents(
  id: string,
  after: string,
  onEvent: (id: string, event: JobEvent) => void,
  signal: AbortSignal,
): Promise<boolean> {
  const headers = after === '' ? {} : { 'last-event-id': after };
  const response = await request(`v1/jobs/${id}/events`, { headers, signal });
  let rest = '';
  for await (const text of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const blocks = (rest + text).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const [, event, data] = /^id: (.+)\nevent: .+\ndata: (.+)$/.exec(block) ?? [];
      if (event === undefined || data === undefined) continue;
      onEvent(event, JSON.parse(data));
    }
  }
  return response.status === 204;
}

const RECONNECT_MS = 2000;

/** Follows a job until it has ended, also over lost connections. */
export async function followJob(id: string, onEvent: (event: JobEvent) => void, signal: AbortSignal): Promise<void> {
  let after = ''; // A connection that breaks must not tell its events again.
  const tell = (last: string, event: JobEvent) => {
    after = last;
    onEvent(event);
  };
  while (!signal.aborted) {
    try {
      if (await readEvents(id, after, tell, signal)) return;
    } catch (error) {
      if (signal.aborted || error instanceof TokenError) return;
      await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
    }
  }
}
