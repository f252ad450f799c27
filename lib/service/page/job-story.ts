/** What the events of a job have told so far. */
import type { JobEvent } from './api.js';

/** The page shows this number of pictures, the newest ones. */
const SHOWN_PICTURES = 24;

export interface Picture {
  label: string;
  path: string;
}

export interface JobStory {
  progress: { stage: string; unit: string; done: number; total: number } | undefined;
  /** The losses by step. */
  losses: { step: number; loss: number }[];
  /** Pairs and previews, the newest first. */
  pictures: Picture[];
  hasPairs: boolean;
  notes: string[];
}

export const emptyStory: JobStory = { progress: undefined, losses: [], pictures: [], hasPairs: false, notes: [] };

const withPictures = (story: JobStory, ...pictures: Picture[]): JobStory => ({
  ...story,
  pictures: [...pictures, ...story.pictures].slice(0, SHOWN_PICTURES),
});

/** Adds an event. */
export function told(story: JobStory, event: JobEvent): JobStory {
  const { stage = '', unit = '', done = 0, total = 0, loss, index, image, mask, path = '', message } = event;
  if (event.event === 'progress') {
    const losses = loss === undefined ? story.losses : [...story.losses, { step: done, loss }];
    return { ...story, losses, progress: { stage, unit, done, total } };
  }
  if (event.event === 'pair' && image !== undefined) {
    const masks = mask === undefined ? [] : [{ label: `mask of pair ${index}`, path: mask }];
    return withPictures({ ...story, hasPairs: true }, { label: `pair ${index}`, path: image }, ...masks);
  }
  if (event.event === 'file' && path.includes('.preview-')) return withPictures(story, { label: path, path });
  if (message !== undefined) return { ...story, notes: [...story.notes, message] };
  return story;
}
