/** The page: a list of jobs, the job that is selected, and a form for the token. */
import type { VNode } from 'preact';
import { useCallback, useEffect, useState } from 'preact/hooks';
import { html } from '../../components/html.js';
import { type Job, listJobs, setToken, TokenError } from './api.js';
import { JobView } from './job-view.js';

/** The list is read again at this interval. */
const REFRESH_MS = 3000;

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
  selected,
  onSelect,
}: {
  jobs: Job[];
  selected: string;
  onSelect: (id: string) => void;
}): VNode {
  const row = (job: Job) => html`<tr key=${job.id} aria-current=${job.id === selected}>
    <td><button type="button" onClick=${() => onSelect(job.id)}>${job.parent && '↳ '}${job.kind}</button></td>
    <td>${subjectOf(job)}</td>
    <td>${String(job.options.type ?? '')}</td>
    <td>${job.state}</td>
    <td>${new Date(job.created).toLocaleString()}</td>
  </tr>`;
  return html`<div class="wide">
    <table class="jobs">
      <thead>
        <tr><th>Job</th><th>Of</th><th>Type</th><th>State</th><th>Submitted</th></tr>
      </thead>
      <tbody>${jobs.map(row)}</tbody>
    </table>
    ${jobs.length === 0 && html`<p>There are no jobs yet. Submit one with POST /v1/jobs.</p>`}
  </div>`;
}

export function App(): VNode {
  const [jobs, setJobs] = useState<Job[]>([]);
  const [failure, setFailure] = useState<Error>();
  const [selected, setSelected] = useState(location.hash.slice(1));
  const refresh = useCallback(async () => {
    try {
      setJobs(await listJobs());
      setFailure(undefined);
    } catch (error) {
      setFailure(error as Error);
    }
  }, []);
  const needsToken = failure instanceof TokenError;
  useEffect(() => {
    void refresh();
    if (needsToken) return;
    const timer = setInterval(refresh, REFRESH_MS);
    return () => clearInterval(timer);
  }, [needsToken]);
  const select = (id: string) => {
    location.hash = id;
    setSelected(id);
  };
  if (needsToken) return html`<${TokenForm} message=${failure.message} onDone=${refresh} />`;
  const job = jobs.find(({ id }) => id === selected);
  return html`<h1>Jobs</h1>
    ${failure && html`<p role="alert">The service does not answer: ${failure.message}</p>`}
    <${JobList} jobs=${jobs} selected=${selected} onSelect=${select} />
    ${job && html`<${JobView} job=${job} onChange=${refresh} />`}`;
}
