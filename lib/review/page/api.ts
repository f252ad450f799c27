/** Calls the server of the review. */
import type { Decision } from '../../components/pair.js';
import type { MeasuredPairs, ReviewChange, ReviewError, ReviewList, ReviewState } from '../contract.js';

/** This page's name among the reviewers. */
export const REVIEWER: string = crypto.randomUUID();

/** A request is sent again after this time, unless the server names another one. */
const RETRY_MS = 1000;

/** The server cannot be reached for now, because it has ended, the connection is lost, or it is too busy. */
export class UnreachableError extends Error {
  /** The request can be sent again after this time, in milliseconds. */
  readonly retryMs: number;

  constructor(message: string, { retryMs = RETRY_MS, ...options }: ErrorOptions & { retryMs?: number } = {}) {
    super(message, options);
    this.retryMs = retryMs;
  }
}

/** The server does not know this page any more, because its time is over, or the server or the review was started again. */
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
/** The statuses of a server, or of a proxy before it, that may answer in another way later. */
const TEMPORARY = [429, 502, 503, 504];
/** A page waits no longer than this, whatever the server says, because somebody looks at it. */
const LONGEST_RETRY_MS = 60_000;

/** Returns the time after which a server wants to be asked again. */
function retryOf({ headers }: Response): number {
  const seconds = Number(headers.get('retry-after') ?? '');
  return seconds > 0 ? Math.min(seconds * 1000, LONGEST_RETRY_MS) : RETRY_MS;
}

/** Waits until a request can be sent again that has failed. */
export const untilRetry = (error: unknown): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, error instanceof UnreachableError ? error.retryMs : RETRY_MS));

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
    throw new ExpiredError('This page has expired.');
  }
  const refusal = await refusalOf(response);
  if (TEMPORARY.includes(response.status)) {
    throw new UnreachableError(refusal.message, { retryMs: retryOf(response) });
  }
  throw refusal;
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
  /** The connection is there, or it is lost and is opened again. */
  onConnection(isConnected: boolean): void;
  /** The server does not know the page any more. */
  onExpired(): void;
}

/** Listens to the changes of a review after the event with the number `after`. */
export function listen(
  { event, session, pairs }: Pick<ReviewList, 'event' | 'session' | 'pairs'>,
  { onChange, onConnection, onExpired }: ChangeListener,
): void {
  let last = event;
  /** Browsers give up after any refusal, and do not tell its status. Another request asks for it. */
  const connectAgain = async () => {
    try {
      await loadMeasured(pairs.length, session);
      await untilRetry(undefined);
    } catch (error) {
      if (!(error instanceof UnreachableError)) return onExpired();
      await untilRetry(error);
    }
    connect();
  };
  const connect = () => {
    const source = new EventSource(`api/events?after=${last}&session=${session}`);
    source.addEventListener('open', () => onConnection(true));
    source.addEventListener('error', () => {
      onConnection(false);
      if (source.readyState === EventSource.CLOSED) void connectAgain();
    });
    source.addEventListener('change', ({ data }) => {
      const change = JSON.parse(data) as ReviewChange;
      last = change.event;
      onChange(change);
    });
  };
  connect();
}
