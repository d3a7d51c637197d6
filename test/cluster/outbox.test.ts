/** Answers that a till gives to the shared cache, before the ledger lets go of them. */

import { describe, expect, it } from 'vitest';
import { Outbox } from '../../src/cluster/outbox.ts';
import { type Digest, digestText } from '../../src/core/digest.ts';

const [A, B] = ['a', 'b'].map(digestText) as [Digest, Digest];

/** Each look is let through by the test, or comes at once where many wait. */
function box(give: (calls: readonly Digest[]) => Promise<boolean> = async () => true) {
  const given: (readonly Digest[])[] = [];
  const released: [Digest, string][][] = [];
  const slept: { readonly milliseconds: number; readonly go: () => void }[] = [];
  const outbox = new Outbox({
    ledger: { release: async (answers) => void released.push([...answers]) },
    give: (calls) => {
      given.push(calls);
      return give(calls);
    },
    clock: {
      now: () => 0,
      sleep: (milliseconds, signal) =>
        new Promise<void>((go) => {
          slept.push({ milliseconds, go });
          signal.addEventListener('abort', () => go());
        }),
    },
  });
  const end = new AbortController();
  const running = outbox.run(end.signal);
  const settle = async () => {
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    outbox,
    given,
    released,
    slept,
    async look() {
      slept.at(-1)!.go();
      await settle();
    },
    settle,
    async end() {
      end.abort();
      await running;
    },
  };
}

describe('answers', () => {
  it('are given each minute, then let go of, and not again', async () => {
    const { outbox, given, released, slept, look, end } = box();
    outbox.add(A, 'one');
    expect([given, slept[0]?.milliseconds]).toEqual([[], 60_000]);
    await look();
    expect([given, released]).toEqual([[[A]], [[[A, 'one']]]]);
    await look();
    expect(given).toHaveLength(1);
    await end();
  });

  it('stay where they could not be given, and go at the latest when the till ends', async () => {
    let isAway = true;
    const { outbox, given, released, look, end } = box(async () => !isAway);
    outbox.add(A, 'one');
    await look();
    expect([given.length, released]).toEqual([1, []]);
    isAway = false;
    outbox.add(B, 'two');
    await end();
    expect(released).toEqual([
      [
        [A, 'one'],
        [B, 'two'],
      ],
    ]);
  });

  it('that took the place of another while that was given are given, too', async () => {
    const told: { readonly outbox?: Outbox } = {};
    let times = 0;
    const { outbox, released, look, end } = box(async () => {
      if (times++ === 0) told.outbox?.add(A, 'anew');
      return true;
    });
    Object.assign(told, { outbox });
    outbox.add(A, 'one');
    await look();
    expect(released).toEqual([[[A, 'one']]]);
    await look();
    expect(released.slice(1)).toEqual([[[A, 'anew']]]);
    await end();
  });

  it('go at once where two thousand wait', async () => {
    const { outbox, given, settle, end } = box();
    for (let index = 0; index < 1999; index++) outbox.add(digestText(`${index}`), 'x');
    await settle();
    expect(given).toEqual([]);
    outbox.add(A, 'x');
    await settle();
    expect(given.map(({ length }) => length)).toEqual([2000]);
    await end();
  });
});
