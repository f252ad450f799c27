/** Shows one job: its progress, its loss, its pictures as they come, and how it ended. */
import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { html } from '../../components/html.js';
import { cancelJob, fetchFile, followJob, type Job, openReview, retryJob } from './api.js';
import { emptyStory, type Picture, told } from './job-story.js';
import { LossCurve } from './loss-curve.js';

function Thumbnail({ id, picture }: { id: string; picture: Picture }): VNode {
  const [address, setAddress] = useState('');
  useEffect(() => {
    let made = '';
    let isGone = false;
    const show = async () => {
      made = await fetchFile(id, picture.path);
      if (isGone) URL.revokeObjectURL(made);
      else setAddress(made);
    };
    show().catch(() => {}); // The picture stays grey.
    return () => {
      isGone = true;
      URL.revokeObjectURL(made);
    };
  }, [id, picture.path]);
  return html`<img alt=${picture.label} title=${picture.label} src=${address || undefined} />`;
}

/** Runs an action of the user, and shows its error. */
function Action({ label, run }: { label: string; run: () => Promise<unknown> }): VNode {
  const [error, setError] = useState('');
  const act = () => {
    setError('');
    run().catch((cause: Error) => setError(cause.message));
  };
  return html`<p><button type="button" onClick=${act}>${label}</button> <span role="alert">${error}</span></p>`;
}

export function JobView({ job, onChange }: { job: Job; onChange: () => void }): VNode {
  const { id, state } = job;
  const [story, setStory] = useState(emptyStory);
  useEffect(() => {
    const gone = new AbortController();
    setStory(emptyStory);
    void followJob(
      id,
      (event) => {
        setStory((before) => told(before, event));
        if (event.event === 'end' || event.event === 'state') onChange();
      },
      gone.signal,
    );
    return () => gone.abort();
  }, [id, state === 'queued' || state === 'running']);
  const { progress, losses, pictures, hasPairs, notes } = story;
  const then = (action: Promise<unknown>) => action.then(onChange);
  const review = async () => location.assign(await openReview(id));
  return html`<section aria-label="job">
    <h2>${job.kind} <small>${id}</small></h2>
    <p>${state}${progress && `, ${progress.stage}: ${progress.done} of ${progress.total} ${progress.unit}`}</p>
    ${progress && html`<progress value=${progress.done} max=${progress.total} aria-label="progress" />`}
    ${job.error && html`<p role="alert">${job.error.code}: ${job.error.message}</p>`}
    ${(state === 'queued' || state === 'running') && html`<${Action} label="Cancel" run=${() => then(cancelJob(id))} />`}
    ${(state === 'failed' || state === 'cancelled') && html`<${Action} label="Retry" run=${() => then(retryJob(id))} />`}
    ${state === 'completed' && hasPairs && html`<${Action} label="Review the pairs" run=${review} />`}
    <${LossCurve} losses=${losses} />
    <div class="strip">
      ${pictures.map((picture) => html`<${Thumbnail} key=${picture.path} id=${id} picture=${picture} />`)}
    </div>
    <ul>
      ${notes.map((note) => html`<li>${note}</li>`)}
    </ul>
    <details>
      <summary>Options</summary>
      <pre>${JSON.stringify(job.options, undefined, 2)}</pre>
    </details>
  </section>`;
}
