/**
 * Durable intents: each try is on disk before its first byte leaves, and stays there until a book holds what it came to.
 * What a killed build leaves behind is thus known to the next one.
 */

import type { Digest } from '../core/digest.ts';
import type { TryOutcome } from '../core/provider-port.ts';
import type { CallStore, Intent, IntentStore, OpenIntent } from '../core/storage.ts';

/** The tries of one build. */
export class Intents {
  readonly #store: IntentStore;
  readonly #now: () => number;
  /** Tries of unknown outcome, or of no call's record, as they are written down: no build's record has their dollars yet. */
  readonly #unbooked = new Map<string, Promise<void>>();
  #order = 0;

  constructor(store: IntentStore, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  /** Resolves when the intent is committed: only then may its try be sent. */
  async open(intent: Omit<Intent, 'at' | 'unknown'>): Promise<OpenIntent> {
    const at = this.#now();
    const open = { id: `${intent.call}/${at}/${this.#order++}`, intent: { ...intent, at } };
    await this.#store.open(open);
    return open;
  }

  /** What a try came to: an unknown outcome is kept until {@link booked}, all else is in the reply's own record. */
  async settle(open: OpenIntent, { billed }: TryOutcome): Promise<void> {
    if (billed === 'maybe') await this.keep(open);
    else if (billed === 'no') await this.#store.close([open.id]);
    else await this.answered(open);
  }

  /** What was billed for brought an answer, or the record of a failure. */
  async answered(open: OpenIntent): Promise<void> {
    await this.#store.close([open.id], { answered: true });
  }

  /** A try whose dollars no record of a call tells: it is kept until {@link booked}. */
  async keep(open: OpenIntent): Promise<void> {
    const marked = this.#store.mark([open]);
    this.#unbooked.set(open.id, marked);
    await marked;
  }

  /** A call whose outcome is unknown from the start; the same id is written once. */
  async keepUnknown(id: string, intent: Omit<Intent, 'at' | 'unknown'>): Promise<void> {
    await this.keep({ id, intent: { ...intent, at: this.#now() } });
  }

  /** To be called when the build's record holds the unknown outcomes. */
  async booked(): Promise<void> {
    const kept = [...this.#unbooked];
    this.#unbooked.clear();
    // Nobody waits for the end of a try, so one may still be on its way to the disk; or it found no room there.
    await Promise.allSettled(kept.map(([, marked]) => marked));
    await this.#store.close(kept.map(([id]) => id));
  }
}

/**
 * The tries of one call. Its record tells of the last one alone, and only once it is kept: until then a try that was
 * billed stays written down, and one that was billed and tried again stays until the build's record has it.
 */
export class CallTries {
  readonly #intents: Intents;
  readonly #call: Omit<Intent, 'at' | 'unknown' | 'dollars'>;
  /** The last try, where it was billed. */
  #billed: OpenIntent | undefined;

  constructor(intents: Intents, call: Omit<Intent, 'at' | 'unknown' | 'dollars'>) {
    this.#intents = intents;
    this.#call = call;
  }

  /** Resolves when the try may be sent, with what is to be told what it came to, and what that cost if it is known. */
  async begin(dollars: number): Promise<(outcome: TryOutcome, cost: number | null) => Promise<void>> {
    const opened = this.#intents.open({ ...this.#call, dollars });
    if (this.#billed !== undefined) await this.unrecorded();
    const open = await opened;
    return async (outcome, cost) => {
      if (outcome.billed === 'no' || outcome.billed === 'maybe') return this.#intents.settle(open, outcome);
      this.#billed = { id: open.id, intent: { ...open.intent, dollars: cost ?? dollars } };
    };
  }

  /** To be called as the call's record is put, so that both are committed together. */
  async recorded(): Promise<void> {
    if (this.#billed !== undefined) await this.#intents.answered(this.#billed);
  }

  /** The call has no record, since it failed in passing or none could be kept, or it is tried again. */
  async unrecorded(): Promise<void> {
    const billed = this.#billed;
    this.#billed = undefined;
    if (billed !== undefined) await this.#intents.keep(billed);
  }
}

/** Tries that earlier builds left behind, which may have been billed, and of which no other book tells. */
export function unresolvedIntents(intents: Pick<IntentStore, 'list'>, calls: Answers): OpenIntent[] {
  return [...intents.list()].filter((open) => isUnresolved(open, calls));
}

/**
 * Settles what earlier builds left behind: what was answered goes, and the rest is booked as unknown.
 *
 * @returns what was not booked before
 */
export async function bookLeftBehind(intents: IntentStore, calls: Answers): Promise<OpenIntent[]> {
  const left = (await closeAnswered(intents, calls)).filter(({ intent }) => intent.unknown === undefined);
  await intents.mark(left);
  return left;
}

/**
 * Removes what was answered. The answers tell of it only as long as they are kept, so this comes before whatever may
 * remove them.
 *
 * @returns what is left
 */
export async function closeAnswered(intents: IntentStore, calls: Answers): Promise<OpenIntent[]> {
  const answered: string[] = [];
  const left: OpenIntent[] = [];
  for (const open of intents.list()) {
    if (isUnresolved(open, calls)) left.push(open);
    else answered.push(open.id);
  }
  await intents.close(answered);
  return left;
}

type Answers = Pick<CallStore, 'get' | 'failure'>;

const isUnresolved = ({ intent: { call, at, unknown } }: OpenIntent, calls: Answers): boolean =>
  unknown === true || !isAnswered(call, at, calls);

/** Whether an answer came after the try was begun. The removal of its intent was then lost with the build. */
function isAnswered(call: Digest, at: number, calls: Answers): boolean {
  return (calls.get(call)?.boughtAt ?? -1) >= at || (calls.failure(call)?.failedAt ?? -1) >= at;
}
