/** The rate that refusals teach, by hand. */

import { describe, expect, it } from 'vitest';
import {
  openPace,
  type Pace,
  paceAt,
  refuse,
  rememberedPace,
  SLOWEST_PACE,
  sendOne,
  waitForPace,
} from '../../src/providers/pace.ts';

describe('a remembered pace', () => {
  it('sends one at once, and learns from its refusal although both are of the same moment', () => {
    const pace = rememberedPace(600, 1_000);
    expect(waitForPace(pace, 1_000)).toBe(0);
    const sent = sendOne(pace, 1_000);
    expect(waitForPace(sent, 1_000)).toBeGreaterThan(0);
    const refused = refuse(sent, { at: 1_000, number: 1 }, 1_400);
    expect(paceAt(refused, 1_400)).toBeLessThan(paceAt(sent, 1_000));
    expect(refused.cutAt).toBe(1_400);
  });

  it('learns nothing from what was sent before the cut', () => {
    const pace = refuse(sendOne(rememberedPace(600, 1_000), 1_000), { at: 1_000, number: 1 }, 1_400);
    expect(refuse(pace, { at: 1_399, number: 2 }, 1_500)).toBe(pace);
  });
});

/** So many requests sent, one every so many milliseconds from the cut on. */
const sentMany = (from: Pace, count: number, every: number): Pace => {
  let pace = from;
  for (let n = 1; n <= count; n++) pace = sendOne(pace, from.cutAt + n * every);
  return pace;
};

describe('the pace after the first refusal', () => {
  it('is what was answered in the time, at least a second, and never slower than the slowest', () => {
    expect(paceAt(openPace(20, 10_000, 5_000), 5_000)).toBe(120);
    // Ten answers within 100 ms are ten a second, and not a hundred.
    expect(paceAt(openPace(10, 100, 5_000), 5_000)).toBe(600);
    expect(paceAt(openPace(0, 10_000, 5_000), 5_000)).toBe(6);
    expect(paceAt(openPace(0, 120_000, 5_000), 5_000)).toBe(SLOWEST_PACE);
    expect(SLOWEST_PACE).toBe(2);
  });

  it('is corrected by refusals of what was sent before it, one by one', () => {
    const pace = openPace(20, 10_000, 5_000);
    const corrected = refuse(refuse(pace, { at: 4_000, number: 0 }, 5_100), { at: 4_900, number: 0 }, 5_200);
    expect([paceAt(corrected, 5_200), corrected.cutAt]).toEqual([108, 5_000]);
  });

  it('sends the next one after its share of a minute', () => {
    const pace = openPace(20, 10_000, 5_000);
    expect([waitForPace(pace, 5_000), waitForPace(pace, 5_500)]).toEqual([500, 0]);
    // A timer that comes late makes up for a tenth of a second at most.
    const fast = sendOne(openPace(200, 1_000, 0), 1_000);
    expect(fast.level).toBeCloseTo(20 - 1, 9);
  });
});

describe('a pace', () => {
  const base = 120;
  const cut = (gain: number): Pace => ({ base, gain, cutAt: 0, sent: 0, level: 0, updatedAt: 0 });

  it('grows by its gain until a refusal is expected: after so many requests and so much time, both', () => {
    // Searching, four requests and 2.4 s; of a tenth as much gain it takes ten times as long.
    expect(paceAt({ ...cut(1), sent: 4 }, 2_400)).toBe(240);
    expect(paceAt({ ...cut(1), sent: 2 }, 2_400)).toBe(180);
    expect(paceAt({ ...cut(1), sent: 4 }, 600)).toBe(150);
    expect(paceAt({ ...cut(0.1), sent: 40 }, 24_000)).toBeCloseTo(132, 9);
    // Beyond that it is searched for faster and faster: half as far again is gain · ½ · (1 + ¼) more, in the exponent.
    expect(paceAt({ ...cut(0.1), sent: 60 }, 36_000)).toBeCloseTo(132 * Math.exp(0.1 * 0.5 * 1.25), 9);
  });

  it('is cut to what was answered between two refusals, within what a refusal can tell', () => {
    // 8 sent, the eighth at 4 s refused: 7 answers in 4 s are 105 a minute, between the two bounds.
    const known = { ...cut(0.3), base: 100 };
    const at = (sent: number, every: number) => {
      const pace = sentMany(known, sent, every);
      const before = paceAt(pace, sent * every);
      return { refused: refuse(pace, { at: sent * every, number: sent }, 9_000), before };
    };
    const { refused, before } = at(20, 500);
    expect(refused.base).toBeCloseTo(Math.min(Math.max((19 * 60_000) / 10_000, before * (1 - 0.225)), before * 0.9), 9);
    // Never more than a third of the gain below what it was, however many were answered.
    const fast = at(40, 100);
    expect(fast.refused.base).toBeCloseTo(fast.before * 0.9, 9);
    // Nor less than three quarters of it, however few.
    const slow = at(12, 3_000);
    expect(slow.refused.base).toBeCloseTo(slow.before * (1 - 0.225), 9);
    expect([refused.cutAt, refused.sent, refused.level, refused.opening]).toEqual([9_000, 0, 0, undefined]);
  });

  it('is known better with each refusal that was expected, and searched for wider where it came early', () => {
    const gains = [1];
    let pace = cut(1);
    for (let n = 0; n < 5; n++) {
      const count = Math.ceil(4 / pace.gain);
      const met = sentMany(pace, count, 2_400 / pace.gain / count + 1);
      pace = { ...refuse(met, { at: met.updatedAt, number: count }, met.updatedAt), level: 1 };
      gains.push(pace.gain);
    }
    expect(gains.map((gain) => Number(gain.toFixed(6)))).toEqual([1, 0.333333, 0.111111, 0.04, 0.04, 0.04]);
    const early = sendOne({ ...pace, level: 1 }, pace.cutAt + 1);
    expect(refuse(early, { at: pace.cutAt + 1, number: 1 }, pace.cutAt + 2).gain).toBe(0.08);
    expect(refuse({ ...early, gain: 0.7 }, { at: pace.cutAt + 1, number: 1 }, pace.cutAt + 2).gain).toBe(1);
  });

  it('that was remembered begins below what it was by what growth may lead beyond, and grows a tenth', () => {
    const pace = rememberedPace(600, 0);
    expect([pace.base, pace.gain, pace.level]).toEqual([576, 0.1, 1]);
    expect(rememberedPace(1, 0).base).toBe(2);
  });
});
