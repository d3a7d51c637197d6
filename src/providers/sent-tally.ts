/** Requests that were sent and not refused, by the time they were sent at, over a little more than the last minute. */

/** Milliseconds that are counted together. */
export const SLOT = 20;
const SLOTS = 4_096;

export interface SentTally {
  add(at: number): void;
  /** One that was sent then was refused. */
  remove(at: number): void;
  /** Those sent from the one moment to the other, each with its slot. */
  count(from: number, to: number): number;
}

export function createSentTally(): SentTally {
  const counts = new Int32Array(SLOTS);
  /** Which stretch of time a slot counts now. */
  const stretches = new Float64Array(SLOTS).fill(-1);
  const isOf = (stretch: number): boolean => stretches[stretch % SLOTS] === stretch;
  return {
    add(at) {
      const stretch = Math.floor(at / SLOT);
      if (!isOf(stretch)) {
        stretches[stretch % SLOTS] = stretch;
        counts[stretch % SLOTS] = 0;
      }
      counts[stretch % SLOTS]!++;
    },
    remove(at) {
      const stretch = Math.floor(at / SLOT);
      if (isOf(stretch)) counts[stretch % SLOTS]!--;
    },
    count(from, to) {
      let sum = 0;
      const last = Math.floor(to / SLOT);
      for (let stretch = Math.max(Math.floor(from / SLOT), last - SLOTS + 1); stretch <= last; stretch++) {
        if (isOf(stretch)) sum += counts[stretch % SLOTS]!;
      }
      return sum;
    },
  };
}
