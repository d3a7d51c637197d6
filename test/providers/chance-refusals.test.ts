/** Refusals that come by chance, counted by hand: each constant at its edge. */

import { describe, expect, it } from 'vitest';
import { createRefusalWatch, type RefusalWatch } from '../../src/providers/chance-refusals.ts';

/** Answered 600 a minute in a trial, of which a quarter was refused. */
const FOUND = { answered: 24, refused: 8, answeredPerMinute: 600 };
const SLOW = 330;

/** Notes outcomes one after the other: `+` for an answer and `-` for a refusal. */
function note(watch: RefusalWatch, outcomes: string, pace: number | undefined = SLOW, sinceCut = false): void {
  [...outcomes].forEach((outcome, at) => {
    watch.note({ at, pace }, outcome === '-', sinceCut);
  });
}

function tried(found = FOUND): RefusalWatch {
  const watch = createRefusalWatch();
  watch.trying();
  watch.tried(found);
  return watch;
}

describe('refusals are by chance', () => {
  it.each<[why: string, outcomes: string, byChance: boolean]>([
    ['where one, an answer and another come at half of what a trial was answered', '-+-', true],
    ['whatever comes between', '++-+++-', true],
    ['not where they come in a row, as a limit does it', '+----', false],
    ['not before the second', '-+++++', false],
  ])('%s: %s', (_, outcomes, byChance) => {
    const watch = tried();
    note(watch, outcomes);
    expect(watch.byChance).toBe(byChance);
  });

  it('not at a pace that a limit may refuse, nor where none was kept', () => {
    const watch = tried();
    note(watch, '-+-', SLOW + 1);
    note(watch, '-+-', Number.NaN);
    expect(watch.byChance).toBe(false);
    expect(createRefusalWatch().byChance).toBe(false);
  });

  it('not without a trial, and no more once a limit is sure', () => {
    const watch = createRefusalWatch();
    note(watch, '-+-');
    expect(watch.byChance).toBe(false);
    const sure = tried();
    sure.confirm(600);
    note(sure, '-+-');
    expect(sure.byChance).toBe(false);
  });

  it('not in the order in which they arrive, but in that in which they were sent', () => {
    const watch = tried();
    watch.note({ at: 5, pace: SLOW }, true, false);
    watch.note({ at: 3, pace: SLOW }, false, false);
    watch.note({ at: 6, pace: SLOW }, true, false);
    expect(watch.byChance).toBe(false);
    watch.note({ at: 8, pace: SLOW }, false, false);
    watch.note({ at: 7, pace: SLOW }, true, false);
    expect(watch.byChance).toBe(false);
    watch.note({ at: 9, pace: SLOW }, true, false);
    expect(watch.byChance).toBe(true);
  });

  it('not where nearly all are refused', () => {
    const mostly = (refused: number) => {
      const watch = tried({ ...FOUND, answered: 100 - refused, refused });
      note(watch, '-+--');
      return watch.byChance;
    };
    expect([mostly(85), mostly(86)]).toEqual([true, false]);
  });

  it.each([
    [50, '-+-', true],
    [51, '-+-', false],
    [51, '-+--', true],
    // Nearly the same share: 0.6 of it.
    [80, '-++-', true],
    [80, '-+++--', true],
    [80, '-++++--', false],
  ])('where %i %% were refused at full speed and then %s: %s', (refused, outcomes, byChance) => {
    const watch = tried({ ...FOUND, answered: 100 - refused, refused });
    note(watch, outcomes);
    expect(watch.byChance).toBe(byChance);
  });

  it('until far more of 64 requests are refused', () => {
    const watch = tried();
    note(watch, '++++++-+-');
    const { byChance } = watch;
    // 0.6 of 64, twice the share of the trial and a tenth, are 38.4.
    note(watch, '+'.repeat(26) + '-'.repeat(38));
    expect([byChance, watch.byChance]).toEqual([true, true]);
    note(watch, '-'.repeat(63));
    expect(watch.byChance).toBe(true);
    note(watch, '-');
    expect(watch.byChance).toBe(false);
  });
});

describe('it is in doubt', () => {
  it('at the first refusal, and where a limit falls to a quarter of what it was', () => {
    const watch = createRefusalWatch();
    expect(watch.isInDoubt(undefined)).toBe(true);
    watch.confirm(600);
    expect([watch.isInDoubt(149), watch.isInDoubt(150)]).toEqual([true, false]);
    const remembering = createRefusalWatch(600);
    expect([remembering.isInDoubt(149), remembering.isInDoubt(150)]).toEqual([true, false]);
  });

  it('not again before something is known', () => {
    const watch = createRefusalWatch(600);
    watch.trying();
    expect(watch.isInDoubt(1)).toBe(false);
    note(watch, '-', 100);
    expect(watch.isInDoubt(1)).toBe(false);
    note(watch, '+', 100);
    expect([watch.isInDoubt(24), watch.isInDoubt(25)]).toEqual([true, false]);
    watch.tried(FOUND);
    expect([watch.isInDoubt(149), watch.isInDoubt(150)]).toEqual([true, false]);
  });
});

describe('beside a limit', () => {
  /** By chance a quarter is refused, and then a limit shows. */
  const beside = () => {
    const watch = tried();
    note(watch, '+++++-+-');
    note(watch, '-'.repeat(64));
    return watch;
  };

  it('chance explains two refusals, and half as many again as its share', () => {
    const watch = beside();
    expect(watch.byChance).toBe(false);
    // 2 + 1.5 · ¼ · n: three of three, and not four of four.
    note(watch, '---', SLOW, true);
    expect(watch.isExcused()).toBe(true);
    note(watch, '-', SLOW, true);
    expect(watch.isExcused()).toBe(false);
    watch.cut();
    expect(watch.isExcused()).toBe(true);
  });

  it('the first eight after a cut say what chance does, and no later ones', () => {
    const watch = beside();
    note(watch, '++++++++', SLOW, true);
    // The share is 2 of 8 + 8 now, so that of 32 requests 2 + 1.5 · ⅛ · 32 = 8 are excused, whatever the other 24 were.
    note(watch, '+'.repeat(16) + '-'.repeat(8), SLOW, true);
    expect(watch.isExcused()).toBe(true);
    note(watch, '-', SLOW, true);
    expect(watch.isExcused()).toBe(false);
  });

  it('of many requests only the last count', () => {
    const watch = beside();
    note(watch, '+'.repeat(1_000), SLOW, true);
    note(watch, '-'.repeat(40), SLOW, true);
    expect(watch.isExcused()).toBe(false);
  });

  it('nothing is excused where none was found', () => {
    expect(createRefusalWatch().isExcused()).toBe(false);
  });
});

describe('a rate is settled', () => {
  it('up to one refusal in ten lately', () => {
    const watch = createRefusalWatch();
    expect(watch.isSettled).toBe(false);
    note(watch, '+++++++++-');
    expect(watch.isSettled).toBe(true);
    note(watch, '-');
    expect(watch.isSettled).toBe(false);
    note(watch, '+'.repeat(64));
    expect(watch.isSettled).toBe(true);
  });
});
