import { afterEach, expect, it, vi } from 'vitest';
import type { ReviewChange, ReviewList, ReviewPair, ReviewState } from '../../lib/review/contract.js';
import { Review } from '../../lib/review/page/review.js';

const state = (change: Partial<ReviewState>): ReviewState => ({
  ...{ decision: null, isCorrected: false, area: 1, box: null, undoable: null, version: 'a', ...change },
});
const pair = (index: number): ReviewPair => ({
  ...{ index, type: 'crack', seed: 0, folder: 0, width: 4, height: 4, hasMask: true, suspicions: [], ...state({}) },
});
const list: ReviewList = {
  title: 't',
  folders: [''],
  pairs: [0, 1, 2].map(pair),
  photographs: [],
  defects: [],
  event: 0,
  session: 'a',
  measured: 3,
};

/** A stream of events of the page, which the test ends. */
interface Stream {
  url: string;
  /** Calls the page when something happens. */
  on: Record<string, (event: MessageEvent) => void>;
  readyState: number;
}

/** A request of the page, which the test answers. */
interface Asked {
  method: string;
  path: string;
  body: unknown;
  answer(status: number, body: unknown, headers?: Record<string, string>): void;
  /** Ends the connection without an answer. */
  lose(): void;
}

/** Opens a review whose server is the test. */
function opened() {
  const asked: Asked[] = [];
  const streams: Stream[] = [];
  vi.stubGlobal('fetch', (path: string, { method = 'GET', body }: { method?: string; body?: string }) => {
    let resolve: (response: Response) => void = () => {};
    let lose: () => void = () => {};
    const promise = new Promise<Response>((done, fail) => {
      resolve = done;
      lose = () => fail(new TypeError('Failed to fetch'));
    });
    const answer: Asked['answer'] = (status, value, headers = {}) =>
      resolve(new Response(JSON.stringify(value), { status, headers }));
    asked.push({ method, path, body: body && JSON.parse(body), answer, lose });
    return promise;
  });
  vi.stubGlobal(
    'EventSource',
    class implements Stream {
      static readonly CLOSED = 2;
      readonly on: Stream['on'] = {};
      readyState = 1;
      constructor(readonly url: string) {
        streams.push(this);
      }
      addEventListener(type: string, listener: (event: MessageEvent) => void) {
        this.on[type] = listener;
      }
    },
  );
  const review = new Review(list, () => {});
  review.connect();
  const send = (change: ReviewChange) => streams.at(-1)?.on.change?.({ data: JSON.stringify(change) } as MessageEvent);
  /** Ends the stream as browsers do when the server refuses it. */
  const refuseStream = () => {
    const stream = streams.at(-1) as Stream;
    stream.readyState = 2;
    stream.on.error?.({} as MessageEvent);
  };
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return { review, asked, send, settled, streams, refuseStream };
}

afterEach(() => vi.unstubAllGlobals());

it('shows a decision at once, and sends decisions one after the other', async () => {
  const { review, asked, settled } = opened();
  review.decide(0, 'keep');
  review.decide(1, 'drop');
  expect(review.counts()).toEqual({ kept: 1, dropped: 1, undecided: 1 });
  expect([review.unsaved, asked.length]).toEqual([2, 1]);
  asked[0]?.answer(200, {
    event: 1,
    id: 0,
    action: 'keep',
    reviewer: '',
    state: state({ decision: 'keep', undoable: 1 }),
  });
  await settled();
  expect(asked[1]).toMatchObject({ method: 'PUT', path: 'api/pairs/1/decision', body: { decision: 'drop' } });
  expect([review.isSaving(0), review.isSaving(1), review.notice]).toEqual([false, true, 'Pair 0 is kept.']);
});

it('undoes its decisions from the latest on with the numbers that the server gave them', async () => {
  const { review, asked, settled } = opened();
  review.decide(0, 'keep');
  review.decide(1, 'drop');
  expect([review.undoOwn(), review.undoOwn(), review.undoOwn()]).toEqual([1, 0, undefined]);
  for (const [at, change] of [
    { id: 0, action: 'keep', state: state({ decision: 'keep', undoable: 7 }) },
    { id: 1, action: 'drop', state: state({ decision: 'drop', undoable: 8 }) },
    { id: 1, action: 'undo', state: state({}) },
    { id: 0, action: 'undo', state: state({}) },
  ].entries()) {
    asked[at]?.answer(200, { event: at + 1, reviewer: '', ...change });
    await settled();
  }
  expect(asked.slice(2).map(({ path, body }) => [path, body])).toEqual([
    ['api/pairs/1/undo', { undoable: 8 }],
    ['api/pairs/0/undo', { undoable: 7 }],
  ]);
  expect(review.counts()).toEqual({ kept: 0, dropped: 0, undecided: 3 });
});

it('keeps the later state of a pair if the answer to an earlier change arrives after it', async () => {
  const { review, asked, send, settled } = opened();
  review.decide(0, 'keep');
  send({ event: 2, id: 0, action: 'drop', reviewer: 'other', state: state({ decision: 'drop', undoable: 2 }) });
  expect(review.notice).toBe('Another reviewer dropped Pair 0.');
  asked[0]?.answer(200, {
    event: 1,
    id: 0,
    action: 'keep',
    reviewer: '',
    state: state({ decision: 'keep', undoable: 1 }),
  });
  await settled();
  expect(review.counts()).toEqual({ kept: 0, dropped: 1, undecided: 2 });
});

it('shows the state that a refused undo brings along', async () => {
  const { review, asked, settled } = opened();
  review.decide(0, 'keep');
  asked[0]?.answer(200, {
    event: 1,
    id: 0,
    action: 'keep',
    reviewer: '',
    state: state({ decision: 'keep', undoable: 1 }),
  });
  await settled();
  review.undoOwn();
  const error = { code: 'ERR_CONFLICT', message: 'Somebody else was quicker' };
  asked[1]?.answer(409, { error, state: state({ decision: 'drop', undoable: 2 }) });
  await settled();
  expect([review.notice, review.canUndo]).toEqual(['Not undone: Somebody else was quicker', false]);
  expect(review.counts()).toEqual({ kept: 0, dropped: 1, undecided: 2 });
});

it('stops sending when the server has forgotten the page, and keeps what is not saved', async () => {
  const { review, asked, settled } = opened();
  review.decide(0, 'keep');
  review.decide(1, 'keep');
  asked[0]?.answer(403, { error: { code: 'ERR_FORBIDDEN', message: 'no' } });
  await settled();
  expect([review.connection, review.unsaved, asked.length]).toEqual(['expired', 2, 1]);
  expect(review.counts()).toEqual({ kept: 2, dropped: 0, undecided: 1 });
});

it('sends an undo whose answer was lost again with the same number, whatever happened meanwhile', async () => {
  vi.useFakeTimers();
  try {
    const { review, asked, send } = opened();
    send({ event: 1, id: 0, action: 'keep', reviewer: 'other', state: state({ decision: 'keep', undoable: 1 }) });
    review.undoPair(0);
    asked[0]?.lose();
    await vi.advanceTimersByTimeAsync(10);
    expect(review.connection).toBe('lost');
    send({ event: 3, id: 0, action: 'drop', reviewer: 'other', state: state({ decision: 'drop', undoable: 3 }) });
    await vi.advanceTimersByTimeAsync(2000);
    expect(asked[1]).toMatchObject({ path: 'api/pairs/0/undo', body: { undoable: 1 } });
    const now = state({ decision: 'drop', undoable: 3 });
    asked[1]?.answer(200, { event: 3, id: 0, action: 'undo', reviewer: '', state: now });
    await vi.advanceTimersByTimeAsync(10);
    expect([review.unsaved, review.pairs[0]?.decision]).toEqual([0, 'drop']);
    expect(review.notice).not.toContain('Not undone');
  } finally {
    vi.useRealTimers();
  }
});

it.each([429, 502, 503, 504])('sends a decision again that was refused with the status %i', async (status) => {
  vi.useFakeTimers();
  try {
    const { review, asked } = opened();
    review.decide(0, 'keep');
    const error = { code: 'ERR_RATE_LIMITED', message: 'Too many requests' };
    asked[0]?.answer(status, { error }, { 'retry-after': '7' });
    await vi.advanceTimersByTimeAsync(6900);
    expect([review.connection, review.unsaved, asked.length]).toEqual(['lost', 1, 1]);
    await vi.advanceTimersByTimeAsync(200);
    const now = state({ decision: 'keep', undoable: 1 });
    asked[1]?.answer(200, { event: 1, id: 0, action: 'keep', reviewer: '', state: now });
    await vi.advanceTimersByTimeAsync(10);
    expect([review.connection, review.unsaved, review.counts().kept]).toEqual(['open', 0, 1]);
  } finally {
    vi.useRealTimers();
  }
});

it('opens a refused stream again after the last event, unless the server has forgotten the page', async () => {
  vi.useFakeTimers();
  try {
    const { review, asked, send, streams, refuseStream } = opened();
    send({ event: 4, id: 0, action: 'keep', reviewer: 'other', state: state({ decision: 'keep', undoable: 1 }) });
    refuseStream();
    expect(review.connection).toBe('lost');
    expect(asked[0]?.path).toBe('api/measured?after=3&session=a');
    asked[0]?.answer(503, { error: { code: 'ERR_NOT_READY', message: 'not yet' } }, { 'retry-after': '2' });
    await vi.advanceTimersByTimeAsync(1900);
    expect(streams).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(200);
    expect(streams[1]?.url).toBe('api/events?after=4&session=a');
    streams[1]?.on.open?.({} as MessageEvent);
    expect(review.connection).toBe('open');
    refuseStream();
    asked[1]?.answer(410, { error: { code: 'ERR_REVIEW_ENDED', message: 'over' } });
    await vi.advanceTimersByTimeAsync(5000);
    expect([review.connection, streams.length]).toEqual(['expired', 2]);
  } finally {
    vi.useRealTimers();
  }
});
