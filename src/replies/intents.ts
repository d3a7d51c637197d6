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
  /** Tries of unknown outcome: no record of a build has their dollars yet. */
  readonly #unbooked: string[] = [];
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
    // What was billed for brought an answer, or the record of a failure.
    if (billed !== 'maybe') return this.#store.close([open.id], { answered: billed !== 'no' });
    this.#unbooked.push(open.id);
    await this.#store.mark([open]);
  }

  /** A call whose outcome is unknown from the start; the same id is written once. */
  async keepUnknown(id: string, intent: Omit<Intent, 'at' | 'unknown'>): Promise<void> {
    this.#unbooked.push(id);
    await this.#store.mark([{ id, intent: { ...intent, at: this.#now() } }]);
  }

  /** To be called when the build's record holds the unknown outcomes. */
  async booked(): Promise<void> {
    await this.#store.close(this.#unbooked.splice(0));
  }
}

/** Tries that earlier builds left behind, which may have been billed, and of which no other book tells. */
export function unresolvedIntents(intents: IntentStore, calls: Answers): OpenIntent[] {
  return [...intents.list()].filter((open) => isUnresolved(open, calls));
}

/**
 * Settles what earlier builds left behind: what was answered goes, and the rest is booked as unknown.
 *
 * @returns what was not booked before
 */
export async function bookLeftBehind(intents: IntentStore, calls: Answers): Promise<OpenIntent[]> {
  const answered: string[] = [];
  const left: OpenIntent[] = [];
  for (const open of intents.list()) {
    if (!isUnresolved(open, calls)) answered.push(open.id);
    else if (open.intent.unknown === undefined) left.push(open);
  }
  // The answers tell of them only as long as they are kept.
  await Promise.all([intents.close(answered), intents.mark(left)]);
  return left;
}

type Answers = Pick<CallStore, 'get' | 'failure'>;

const isUnresolved = ({ intent: { call, at, unknown } }: OpenIntent, calls: Answers): boolean =>
  unknown === true || !isAnswered(call, at, calls);

/** Whether an answer came after the try was begun. The removal of its intent was then lost with the build. */
function isAnswered(call: Digest, at: number, calls: Answers): boolean {
  return (calls.get(call)?.boughtAt ?? -1) >= at || (calls.failure(call)?.failedAt ?? -1) >= at;
}
