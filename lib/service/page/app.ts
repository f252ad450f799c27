/** The page: a list of jobs, the job that is selected, and a form for the token. */
import type { VNode } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { html } from '../../components/html.js';
import {
  getJob,
  type Job,
  listJobs,
  listWorkers,
  MissingError,
  PAGE_SIZE,
  setToken,
  TokenError,
  type Worker,
} from './api.js';
import { JobView } from './job-view.js';

/** The list is read again after this time. */
const REFRESH_MS = 3000;
/** Each screen of the list is a request. A long list waits this time for each, because the service limits requests. */
const REFRESH_SCREEN_MS = 300;

function TokenForm({ message, onDone }: { message: string; onDone: () => void }): VNode {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setToken(String(new FormData(event.target as HTMLFormElement).get('token')));
    onDone();
  };
  return html`<form onSubmit=${submit}>
    <p role="alert">${message}</p>
    <label>Token <input name="token" type="password" autocomplete="off" required /></label>
    <button>Open</button>
  </form>`;
}

/** Returns the name of what a job works on. */
const subjectOf = ({ options }: Job) => String(options.data ?? options.adapter ?? options.parts ?? options.from ?? '');

function JobList({
  jobs,
  hasOlder,
  selected,
  onSelect,
  onOlder,
}: {
  jobs: Job[];
  hasOlder: boolean;
  selected: string;
  onSelect: (id: string) => void;
  onOlder: () => void;
}): VNode {
  const row = (job: Job) => html`<tr key=${job.id} aria-current=${job.id === selected}>
    <td><button type="button" onClick=${() => onSelect(job.id)}>${job.parent && '↳ '}${job.kind}</button></td>
    <td class="name">${subjectOf(job)}</td>
    <td class="name">${String(job.options.type ?? '')}</td>
    <td>${job.state}</td>
    <td>${new Date(job.created).toLocaleString()}</td>
  </tr>`;
  return html`<div class="wide list">
    <table class="jobs">
      <thead>
        <tr><th>Job</th><th>Of</th><th>Type</th><th>State</th><th>Submitted</th></tr>
      </thead>
      <tbody>${jobs.map(row)}</tbody>
    </table>
    ${jobs.length === 0 && html`<p>There are no jobs yet. Submit one with POST /v1/jobs.</p>`}
    ${hasOlder && html`<p><button type="button" onClick=${onOlder}>Show older jobs</button></p>`}
  </div>`;
}

const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;

function WorkerList({ workers, onSelect }: { workers: Worker[]; onSelect: (id: string) => void }): VNode {
  const row = ({ id, host, device, memoryBytes, gpuUsedBytes, bases, jobs, rates }: Worker) => html`<tr key=${id}>
    <td>${host}</td>
    <td>${device}</td>
    <td>${gpuUsedBytes !== undefined && `${gigabytes(gpuUsedBytes)} of `}${gigabytes(memoryBytes)}</td>
    <td>${['embedded', ...bases].join(', ')}</td>
    <td>${jobs.map((job) => html`<button type="button" onClick=${() => onSelect(job)}>${job.slice(0, 8)}</button> `)}</td>
    <td>${rates.map(({ stage, unit, perSecond }) => `${stage}: ${perSecond.toPrecision(2)} ${unit}/s`).join(', ')}</td>
  </tr>`;
  return html`<section aria-label="workers" class="wide">
    <h2>Workers</h2>
    ${workers.length === 0 && html`<p role="alert">There are no workers, so that jobs wait. Start one with dualanodiff worker.</p>`}
    <table class="jobs" hidden=${workers.length === 0}>
      <thead>
        <tr><th>Host</th><th>Device</th><th>Memory</th><th>Bases</th><th>Jobs</th><th>Speed in the last minute</th></tr>
      </thead>
      <tbody>${workers.map(row)}</tbody>
    </table>
  </section>`;
}

/** Follows the part of the address that names the selected job, so that links and the button Back work. */
function useSelected(): string {
  const [selected, setSelected] = useState(location.hash.slice(1));
  useEffect(() => {
    const follow = () => setSelected(location.hash.slice(1));
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  return selected;
}

/** Returns the error of a job that does not exist, and throws all others, which may pass. */
function missing(error: Error): Error {
  if (error instanceof MissingError) return error;
  throw error;
}

export function App(): VNode {
  const [{ jobs, hasOlder }, setList] = useState<{ jobs: Job[]; hasOlder: boolean }>({ jobs: [], hasOlder: false });
  const [count, setCount] = useState(PAGE_SIZE);
  const [workers, setWorkers] = useState<Worker[]>();
  const [failure, setFailure] = useState<Error>();
  /** The selected job if it is older than those of the list, or why there is none. */
  const [other, setOther] = useState<Job | Error>();
  const selected = useSelected();
  const wanted = useRef({ selected, count });
  wanted.current = { selected, count }; // A job that is followed refreshes the list as it is wanted then.
  const calls = useRef(0);
  const refresh = useCallback(async () => {
    const call = ++calls.current;
    const { selected, count } = wanted.current;
    try {
      const list = await listJobs(count);
      const isListed = selected === '' || list.jobs.some(({ id }) => id === selected);
      const unlisted = isListed ? undefined : await getJob(selected).catch(missing);
      const known = await listWorkers();
      if (call !== calls.current) return; // A later call has newer ones.
      setList(list);
      setOther(unlisted);
      setWorkers(known);
      setFailure(undefined);
    } catch (error) {
      if (call === calls.current) setFailure(error as Error);
    }
  }, []);
  const needsToken = failure instanceof TokenError;
  useEffect(() => {
    let timer = 0;
    let isOver = false;
    const refreshForever = async () => {
      await refresh();
      if (!isOver) timer = setTimeout(refreshForever, Math.max(REFRESH_MS, (count / PAGE_SIZE) * REFRESH_SCREEN_MS));
    };
    void (needsToken ? refresh() : refreshForever());
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [needsToken, selected, count]);
  const select = (id: string) => {
    location.hash = id;
  };
  if (needsToken) return html`<${TokenForm} message=${failure.message} onDone=${refresh} />`;
  const found = jobs.find(({ id }) => id === selected) ?? other;
  const job = found instanceof Error || found?.id !== selected ? undefined : found;
  const older = () => setCount(jobs.length + PAGE_SIZE);
  return html`<h1>Jobs</h1>
    ${failure && html`<p role="alert">The service does not answer: ${failure.message}</p>`}
    <${JobList} ...${{ jobs, hasOlder, selected, onSelect: select, onOlder: older }} />
    ${workers && html`<${WorkerList} workers=${workers} onSelect=${select} />`}
    ${found instanceof Error && html`<p role="alert">${found.message}</p>`}
    ${job && html`<${JobView} key=${job.id} job=${job} onChange=${refresh} />`}`;
}
