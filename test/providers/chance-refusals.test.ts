/** Refusals that come by chance, counted by hand: each constant at its edge. */

import { describe, expect, it } from 'vitest';
import { createRefusalWatch, type RefusalWatch } from '../../src/providers/chance-refusals.ts';

const SLOW = 64;
/** Sixteen times as fast: beyond the eight that a comparison takes. */
const FAST = 1024;

function note(watch: RefusalWatch, pace: number, answered: number, refused: number, sinceCut = false): void {
  for (let n = 0; n < answered; n++) watch.note(pace, false, sinceCut);
  for (let n = 0; n < refused; n++) watch.note(pace, true, sinceCut);
}

/** @param fast answered and refused at the fast rate, then @param slow the same at the slow one */
function watched(fast: readonly [number, number], slow: readonly [number, number]): RefusalWatch {
  const watch = createRefusalWatch();
  note(watch, FAST, ...fast);
  note(watch, SLOW, ...slow);
  return watch;
}

/** As many refused and answered at the slow rate, where the last one refused is the first that can be judged. */
function watchedTo(refused: number, answered: number): RefusalWatch {
  const watch = watched([9, 3], [0, refused - 1]);
  note(watch, SLOW, answered, 1);
  return watch;
}

describe('refusals are by chance', () => {
  it.each<[why: string, fast: [number, number], slow: [number, number], byChance: boolean]>([
    ['where a quarter is refused at either rate', [9, 3], [12, 4], true],
    ['not before sixteen requests came at the slow one', [9, 3], [12, 3], false],
    ['not where fewer than three are refused', [20, 2], [20, 2], false],
    ['but from three on', [20, 2], [20, 3], true],
    ['not where fewer than three are answered fast', [2, 1], [12, 4], false],
    ['where the fast rate answers twice what a limit would allow', [3, 13], [12, 4], true],
    ['not where it answers a little less', [3, 14], [12, 4], false],
    ['not below three in a hundred', [9, 0], [98, 3], false],
    ['at three in a hundred', [9, 0], [97, 3], true],
    // Of 32 fast requests a sixteenth is refused, and three quarters of the slow ones: a limit that was lowered.
    ['not where so many fast ones show that the limit was lowered', [30, 2], [4, 12], false],
    ['where fewer fast ones show nothing of it', [29, 2], [4, 12], true],
  ])('%s: %j and %j', (_, fast, slow, byChance) => {
    expect(watched(fast, slow).byChance).toBe(byChance);
  });

  it.each([
    [27, true],
    [28, false],
  ])('not where more than nine in ten are: %i refused and 3 answered', (refused, byChance) => {
    expect(watchedTo(refused, 3).byChance).toBe(byChance);
  });

  it('until far more of 64 requests are refused', () => {
    const watch = watched([9, 3], [12, 4]);
    // 0.6 of 64, twice the share and a tenth, are 38.4.
    note(watch, SLOW, 26, 38);
    expect(watch.byChance).toBe(true);
    note(watch, SLOW, 0, 63);
    expect(watch.byChance).toBe(true);
    note(watch, SLOW, 0, 1);
    expect(watch.byChance).toBe(false);
  });
});

describe('beside a limit', () => {
  /** By chance a quarter is refused, and then a limit shows. */
  const beside = () => {
    const watch = watched([9, 3], [12, 4]);
    note(watch, SLOW, 0, 64);
    return watch;
  };

  it('chance explains two refusals, and half as many again as its share', () => {
    const watch = beside();
    // 2 + 1.5 · ¼ · n: three of three, and not four of four.
    note(watch, SLOW, 0, 3, true);
    expect(watch.isExcused()).toBe(true);
    note(watch, SLOW, 0, 1, true);
    expect(watch.isExcused()).toBe(false);
    watch.cut();
    expect(watch.isExcused()).toBe(true);
  });

  it('the first eight after a cut say what chance does, and no later ones', () => {
    const watch = beside();
    note(watch, SLOW, 8, 0, true);
    // The share is 8 of 32 + 8 now, so that of 40 requests 2 + 1.5 · ⅕ · 40 = 14 are excused, whatever the other 32 were.
    note(watch, SLOW, 18, 14, true);
    expect(watch.isExcused()).toBe(true);
    note(watch, SLOW, 0, 1, true);
    expect(watch.isExcused()).toBe(false);
  });

  it('of a large share, what chance would have answered is missed', () => {
    const watch = watchedTo(16, 4);
    note(watch, SLOW, 0, 64);
    // Half as many again as four fifths is more than all: 2 + 0.9 · n it is.
    note(watch, SLOW, 0, 20, true);
    expect(watch.isExcused()).toBe(true);
    note(watch, SLOW, 0, 1, true);
    expect(watch.isExcused()).toBe(false);
  });

  it('nothing is excused where none was found', () => {
    expect(createRefusalWatch().isExcused()).toBe(false);
  });
});

describe('a rate is settled', () => {
  it('up to one refusal in ten, at about that rate', () => {
    const watch = createRefusalWatch();
    expect(watch.isSettled(SLOW)).toBe(false);
    note(watch, SLOW, 9, 1);
    expect([SLOW / 2, SLOW, 2 * SLOW].map((pace) => watch.isSettled(pace))).toEqual([true, true, true]);
    expect([SLOW / 4, 4 * SLOW].map((pace) => watch.isSettled(pace))).toEqual([false, false]);
    note(watch, SLOW, 0, 1);
    expect(watch.isSettled(SLOW)).toBe(false);
  });
});
