/** Holds the pairs, their decisions, and the changes that are on their way to the server. */
import type { Decision } from '../../components/pair.js';
import type { ReviewChange, ReviewList, ReviewPair, ReviewState } from '../contract.js';
import {
  ExpiredError,
  listen,
  loadMeasured,
  REVIEWER,
  RefusedError,
  sendDecision,
  sendUndo,
  UnreachableError,
  untilRetry,
} from './api.js';
import { nameOf } from './words.js';

/** A change that the server has not confirmed yet. */
interface Pending {
  id: number;
  /** The decision that the page shows meanwhile. An undo has none, because only the server knows what was before. */
  decision?: Decision;
  send(): Promise<ReviewChange>;
  own?: OwnChange;
}

/** A decision or correction of this page. Its number is known once it is saved. */
interface OwnChange {
  id: number;
  undoable?: number | null;
}

/** `lost` means that the server does not answer for now, and `expired` that it never will. */
export type Connection = 'open' | 'lost' | 'expired';

export interface Counts {
  kept: number;
  dropped: number;
  undecided: number;
}

/** Returns the state of a pair that has changed since its measurement was sent. The change was measured, too. */
const stateOf = ({ decision, isCorrected, area, box, undoable, version }: ReviewPair): ReviewState => ({
  ...{ decision, isCorrected, area, box, undoable, version },
});

export class Review {
  readonly list: ReviewList;
  /** The pairs by their ids. A pair that changes is a new object, and so is the list. */
  pairs: readonly ReviewPair[];
  connection: Connection = 'open';
  /** The number of pairs that the server has measured. The size and the place of the others are not known yet. */
  measured: number;
  /** What the reviewer should know: the answer to the last change, or what another reviewer did. */
  notice = '';

  /** The first is being sent. */
  readonly #pending: Pending[] = [];
  /** The changes of this page that can be undone, the latest last. */
  #own: OwnChange[] = [];
  /** The number of the latest event of each pair, because an answer may arrive after a later event. */
  readonly #events = new Map<number, number>();
  readonly #onUpdate: () => void;
  #isSending = false;

  /** `onUpdate` is called after each change. */
  constructor(list: ReviewList, onUpdate: () => void) {
    this.list = list;
    this.pairs = list.pairs;
    this.measured = list.measured;
    this.#onUpdate = onUpdate;
  }

  /** Follows the changes of all reviewers. */
  connect(): void {
    listen(this.list, {
      onChange: (change) => this.#receive(change),
      onConnection: (isConnected) => this.#setConnection(isConnected ? 'open' : 'lost'),
      onExpired: () => this.#setConnection('expired'),
    });
    void this.#followMeasuring();
  }

  /** Asks for measured pairs until all are there. */
  async #followMeasuring(): Promise<void> {
    while (this.measured < this.pairs.length && this.connection !== 'expired') {
      try {
        const { event, pairs } = await loadMeasured(this.measured, this.list.session);
        this.measured += pairs.length;
        const changed = [...this.pairs];
        for (const { id, pair } of pairs) {
          const isLate = event < (this.#events.get(id) ?? 0);
          changed[id] = isLate ? { ...pair, ...stateOf(changed[id] as ReviewPair) } : pair;
        }
        if (pairs.length > 0) this.pairs = changed;
        this.#onUpdate();
      } catch (error) {
        if (error instanceof ExpiredError) return this.#setConnection('expired');
        await untilRetry(error);
      }
    }
  }

  get unsaved(): number {
    return this.#pending.length;
  }

  get canUndo(): boolean {
    return this.#own.length > 0;
  }

  isSaving(id: number): boolean {
    return this.#pending.some((pending) => pending.id === id);
  }

  /** Returns the decision that the page shows for a pair, which may not be saved yet. */
  decisionOf(pair: ReviewPair, id: number): Decision | null {
    return this.#pending.findLast((pending) => pending.id === id && pending.decision)?.decision ?? pair.decision;
  }

  counts(): Counts {
    const counts = { kept: 0, dropped: 0, undecided: 0 };
    const latest = new Map(this.#pending.flatMap(({ id, decision }) => (decision ? [[id, decision] as const] : [])));
    for (const [id, pair] of this.pairs.entries()) {
      const decision = latest.get(id) ?? pair.decision;
      counts[decision === 'keep' ? 'kept' : decision === 'drop' ? 'dropped' : 'undecided']++;
    }
    return counts;
  }

  decide(id: number, decision: Decision): void {
    const own = { id };
    this.#own.push(own);
    this.#enqueue({ id, decision, own, send: () => sendDecision(id, decision) });
  }

  /** Undoes the latest change that this page made. Returns the id of its pair, or undefined if there is none. */
  undoOwn(): number | undefined {
    const own = this.#own.pop();
    if (own) this.#enqueue({ id: own.id, send: () => this.#sendUndo(own.id, own.undoable) });
    return own?.id;
  }

  /** Undoes the latest change of a pair, whoever made it. */
  undoPair(id: number): void {
    let undoable: number | null | undefined;
    const send = () => {
      // An undo that is sent again names the same change, although the pair may have a later one by now.
      undoable ??= this.pairs[id]?.undoable;
      return this.#sendUndo(id, undoable);
    };
    this.#enqueue({ id, send });
  }

  /** Takes the server's answer to a correction of a mask, which is sent where it was drawn. */
  confirmMask(change: ReviewChange): void {
    this.#own.push({ id: change.id, undoable: change.state.undoable });
    this.#confirm(change);
  }

  notify(notice: string): void {
    this.notice = notice;
    this.#onUpdate();
  }

  #nameOf(id: number): string {
    return nameOf(this.pairs[id] as ReviewPair, this.list);
  }

  #confirm({ event, id, action, state }: ReviewChange): void {
    this.#setState(id, state, event);
    const verbs = { keep: 'is kept', drop: 'is dropped', mask: 'has a corrected mask', undo: 'is as it was before' };
    this.notify(`${this.#nameOf(id)} ${verbs[action]}.`);
  }

  async #sendUndo(id: number, undoable: number | null | undefined): Promise<ReviewChange> {
    if (typeof undoable !== 'number') throw new RefusedError(`${this.#nameOf(id)} has no change that can be undone.`);
    return sendUndo(id, undoable);
  }

  #setConnection(connection: Connection): void {
    if (this.connection === connection || this.connection === 'expired') return;
    this.connection = connection;
    this.#onUpdate();
  }

  #setState(id: number, state: ReviewState, event?: number): void {
    if (event !== undefined) {
      if (event <= (this.#events.get(id) ?? 0)) return;
      this.#events.set(id, event);
    }
    this.pairs = this.pairs.map((pair, at) => (at === id ? { ...pair, ...state } : pair));
  }

  #receive({ event, id, action, reviewer, state }: ReviewChange): void {
    if (reviewer === REVIEWER) return; // Its answer says the same.
    this.#setState(id, state, event);
    const verbs = { keep: 'kept', drop: 'dropped', mask: 'corrected the mask of', undo: 'undid a change of' };
    this.notify(`Another reviewer ${verbs[action]} ${this.#nameOf(id)}.`);
  }

  #enqueue(pending: Pending): void {
    this.#pending.push(pending);
    this.#onUpdate();
    if (!this.#isSending) void this.#sendAll();
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true;
    for (let next = this.#pending[0]; next && this.connection !== 'expired'; next = this.#pending[0]) {
      try {
        const before = this.pairs[next.id]?.undoable;
        const change = await next.send();
        this.#pending.shift();
        this.#setConnection('open');
        // A pair that was decided so already has no new change. Undo must not take back the old one, perhaps of another.
        if (change.state.undoable === before) this.#own = this.#own.filter((own) => own !== next.own);
        else if (next.own) next.own.undoable = change.state.undoable;
        this.#confirm(change);
      } catch (error) {
        if (error instanceof UnreachableError) {
          this.#setConnection('lost');
          await untilRetry(error);
        } else if (error instanceof ExpiredError) this.#setConnection('expired');
        else {
          this.#pending.shift();
          this.#own = this.#own.filter((own) => own !== next.own);
          if (error instanceof RefusedError && error.state) this.#setState(next.id, error.state);
          this.notify(`${next.decision ? 'Not saved' : 'Not undone'}: ${(error as Error).message}`);
        }
      }
    }
    this.#isSending = false;
  }
}
