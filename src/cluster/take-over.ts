/** One till is open for an account at a time. Another stands by, and takes over when that one has ended or says nothing more. */

import type { Clock } from '../providers/clock.ts';
import type { Ledger } from './ledger.ts';
import type { Roster, Seen, TillAbout } from './roster.ts';

interface TakeOverParts {
  readonly ledger: Pick<Ledger, 'open' | 'leave'>;
  readonly roster: Pick<Roster, 'beat' | 'leave' | 'read'>;
  /** Names this till among others. */
  readonly owner: string;
  readonly about: TillAbout;
  /** Milliseconds after which a till that says nothing counts as dead. */
  readonly lease: number;
  /** Whether a till is known to be gone, so that its lease need not be waited for. */
  readonly isGone: (till: TillAbout) => boolean;
  readonly clock: Clock;
  readonly note: (text: string) => void;
  readonly interrupt: AbortSignal;
}

/** Waits until this till is the open one; false where it is interrupted before. */
export async function takeOver(parts: TakeOverParts): Promise<boolean> {
  const { ledger, roster, owner, about, lease, isGone, clock, note, interrupt } = parts;
  const interrupted = new Promise<'interrupted'>((resolve) => {
    interrupt.addEventListener('abort', () => resolve('interrupted'), { once: true });
  });
  let told = '';
  while (!interrupt.aborted) {
    // Without Redis there is no answer, until it is back.
    const other = await Promise.race([ledger.open(owner), interrupted]);
    if (other === 'interrupted') break;
    const tills = await roster.read('tills');
    const gone = tills.filter((till) => till.seconds * 1000 > lease || isGone(till));
    for (const { id } of gone) await roster.leave('tills', id);
    if (other.isOpen) return true;
    if (gone.some(({ id }) => id === other.by)) {
      await ledger.leave(other.by);
      continue;
    }
    const seen = tills.find(({ id }) => id === other.by);
    if (told !== other.by) note(standsBy(seen, lease));
    told = other.by;
    await roster.beat('tills', owner, about);
    await clock.sleep(lease / 4, interrupt);
  }
  return false;
}

function standsBy(other: Seen<TillAbout> | undefined, lease: number): string {
  const who = other === undefined ? '' : ` (pid ${other.pid} on ${other.host})`;
  return (
    `a till is open already for this account${who}: this one stands by, and takes over when that one has ended ` +
    `or has said nothing for ${lease / 1000} s`
  );
}
