/** Calls the server of the review. */
import type { Decision } from '../../components/pair.js';
import type { MeasuredPairs, ReviewChange, ReviewError, ReviewList, ReviewState } from '../contract.js';

/** This page's name among the reviewers. */
export const REVIEWER: string = crypto.randomUUID();

/** The server did not answer, because it has ended or the connection is lost. */
export class UnreachableError extends Error {}

/** The server does not know this page any more, because it was started again, or the review was. */
export class ExpiredError extends Error {}

/** The server answered that it cannot do what was asked. */
export class RefusedError extends Error {
  /** `state` is the pair's state if the server sent it. */
  constructor(
    message: string,
    readonly state?: ReviewState,
  ) {
    super(message);
  }
}

/** The statuses of a server that does not know the page, or that has opened the review again. */
const EXPIRED = [401, 403, 410];

async function refusalOf(response: Response): Promise<RefusedError> {
  try {
    const { error, state } = (await response.json()) as ReviewError;
    return new RefusedError(error.message, state);
  } catch {
    return new RefusedError(`The server answered with the status ${response.status}.`);
  }
}

async function request<T>(path: string, init: RequestInit = {}): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, headers: { 'x-reviewer': REVIEWER, ...init.headers } });
    if (response.ok) return (await response.json()) as T;
  } catch (error) {
    throw new UnreachableError('The server does not answer.', { cause: error });
  }
  if (EXPIRED.includes(response.status)) {
    throw new ExpiredError('This page is not known to the server, which was perhaps started again.');
  }
  throw await refusalOf(response);
}

const send = <T>(method: string, path: string, body: object): Promise<T> =>
  request(path, { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });

export const loadList = (): Promise<ReviewList> => request('api/pairs');

export const loadMeasured = (after: number, session: string): Promise<MeasuredPairs> =>
  request(`api/measured?after=${after}&session=${session}`);

export const sendDecision = (id: number, decision: Decision): Promise<ReviewChange> =>
  send('PUT', `api/pairs/${id}/decision`, { decision });

export const sendUndo = (id: number, undoable: number): Promise<ReviewChange> =>
  send('POST', `api/pairs/${id}/undo`, { undoable });

export const sendMask = (id: number, png: Blob): Promise<ReviewChange> =>
  request(`api/pairs/${id}/mask`, { method: 'PUT', body: png, headers: { 'content-type': 'image/png' } });

/** What happens to the stream of changes. */
export interface ChangeListener {
  onChange(change: ReviewChange): void;
  /** The connection is there, or it is lost and the browser connects again. */
  onConnection(isConnected: boolean): void;
  /** The server refuses the connection. */
  onExpired(): void;
}

/** Listens to the changes of a review after the event with the number `after`. */
export function listen(
  { event, session }: Pick<ReviewList, 'event' | 'session'>,
  { onChange, onConnection, onExpired }: ChangeListener,
): void {
  const source = new EventSource(`api/events?after=${event}&session=${session}`);
  source.addEventListener('open', () => onConnection(true));
  source.addEventListener('error', () => {
    if (source.readyState === EventSource.CLOSED) onExpired();
    else onConnection(false);
  });
  source.addEventListener('change', ({ data }) => onChange(JSON.parse(data) as ReviewChange));
}
