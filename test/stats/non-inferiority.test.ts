/** The sequential test behind `cje gate`, and the differences that it reads. */

import { describe, expect, test } from 'vitest';
import {
  differenceBounds,
  type GatePrompt,
  hashedOrder,
  type NonInferiorityOptions,
  nonInferiority,
  nonInferiorityStep,
  pairedDifferences,
  type SequentialState,
  UNDECIDED,
} from '../../src/stats/index.ts';
import { randomSource } from '../../src/stats/numeric/random.ts';

type Random = ReturnType<typeof randomSource>;
const sample = (seed: number, size: number, draw: (random: Random) => number) => {
  const random = randomSource(seed, 0);
  return Array.from({ length: size }, () => draw(random));
};

describe('sequential non-inferiority', () => {
  const options: NonInferiorityOptions = { margin: 0.05, alpha: 0.05 };
  const run = (differences: readonly number[], from: SequentialState = UNDECIDED, of = options) =>
    differences.reduce((state, d) => nonInferiorityStep(state, d, of), from);

  test('two prompts by hand', () => {
    // Nothing seen: d = 1.5 · 0.05 on either side, σ̂² ¼, so b = 0.075/(0.25 + 0.075²). D = 1 wins the one what it costs the other.
    const first = run([1]);
    const bet = 0.075 / (0.25 + 0.075 ** 2);
    expect(first.logPass).toBeCloseTo(Math.log(1 + bet * 1.05), 14);
    expect(first.logFail).toBeCloseTo(Math.log(1 - bet * 1.05), 14);
    // Then d = (0.75 + 1.05)/11, σ̂² (¼ + ¼)/2, and nothing on fail: 0.75 − 1.05 < 0. D = −½.
    const second = run([1, -0.5]);
    const d = 1.8 / 11;
    expect(second.logPass).toBeCloseTo(first.logPass + Math.log(1 - (d / (0.25 + d ** 2)) * 0.45), 14);
    expect(second.logFail).toBe(first.logFail);
  });

  test('differences of other bounds are bet on as far as these allow', () => {
    const wide = { ...options, bounds: [-9, 9] as const };
    expect(run([9], UNDECIDED, wide).logPass).toBeCloseTo(Math.log(1 + (0.95 / 8.95) * 9.05), 14);
    expect(run([-9], UNDECIDED, wide).logFail).toBeCloseTo(Math.log(1 + (0.95 / 9.05) * 8.95), 14);
    expect(() => nonInferiorityStep(UNDECIDED, 9.5, wide)).toThrow(RangeError);
    // Each side's bet is held by the end that could cost it: −6 that on a pass, 9 that on a fail.
    const uneven = { ...options, bounds: [-6, 9] as const };
    expect(run([9], UNDECIDED, uneven).logPass).toBeCloseTo(Math.log(1 + (0.95 / 5.95) * 9.05), 14);
    expect(run([-6], UNDECIDED, uneven).logFail).toBeCloseTo(Math.log(1 + (0.95 / 9.05) * 5.95), 14);
  });

  test('goes on from where it stopped, in any parts', () => {
    const differences = sample(3, 60, (r) => 0.4 * (r.uniform() - 0.5));
    const whole = run(differences);
    expect(run(differences.slice(17), JSON.parse(JSON.stringify(run(differences.slice(0, 17)))))).toEqual(whole);
    expect(() => nonInferiorityStep(UNDECIDED, 1.5, options)).toThrow(RangeError);
  });

  test('a verdict stays', () => {
    const passed = run(Array(200).fill(0.5));
    expect(passed.verdict).toBe('pass');
    expect(run([-1, -1, -1], passed)).toBe(passed);
    expect(run(Array(200).fill(-0.5)).verdict).toBe('fail');
  });

  test.each([
    ['spread of 0.2', (r: Random) => Math.max(-1, Math.min(1, -0.05 + 0.2 * r.normal()))],
    ['binary labels, 90 against 95 %', (r: Random) => (r.uniform() < 0.9 ? 1 : 0) - (r.uniform() < 0.95 ? 1 : 0)],
  ])('at the margin itself passes in at most α of all cases, with a look after every prompt: %s', (_, draw) => {
    let passed = 0;
    for (let seed = 0; seed < 100; seed++) {
      const random = randomSource(seed, 5);
      let state = UNDECIDED;
      for (let i = 0; i < 600 && state.verdict === 'continue'; i++)
        state = nonInferiorityStep(state, draw(random), options);
      if (state.verdict === 'pass') passed++;
    }
    // 5 % of 100 is 5; above 12 with chance below 0.5 %. The long form is bench/gate.
    expect(passed).toBeLessThanOrEqual(12);
  });

  test('equal policies pass within 500 prompts', () => {
    let passed = 0;
    for (let seed = 0; seed < 100; seed++) {
      if (run(sample(seed, 500, (r) => Math.max(-1, Math.min(1, 0.2 * r.normal())))).verdict === 'pass') passed++;
    }
    expect(passed).toBeGreaterThanOrEqual(95);
  });

  test('prompts come in the order of a hash, whatever the order of the file', () => {
    const ids = Array.from({ length: 20 }, (_, i) => `p${i}`);
    const order = hashedOrder(ids, 1);
    expect(hashedOrder([...ids].reverse(), 1)).toEqual(order);
    expect(order).not.toEqual(ids);
    expect([...order].sort()).toEqual([...ids].sort());
    expect(hashedOrder(ids, 2)).not.toEqual(order);
  });
});

describe('the bounds of the difference', () => {
  const options = { margin: 0.05, alpha: 0.05 };

  test('agree with the verdict, are mirrored by mirrored differences, and narrow', () => {
    const values = sample(4, 300, (r) => 0.4 * (r.uniform() - 0.3));
    const [low, high] = differenceBounds(values, options);
    expect(nonInferiority(values, options).verdict).toBe('pass');
    expect(low).toBeGreaterThanOrEqual(-0.05);
    // The largest refuted loss is refuted, and a little less of a loss is not.
    expect(nonInferiority(values, { ...options, expected: 0.075, margin: -low }).verdict).toBe('pass');
    expect(nonInferiority(values, { ...options, expected: 0.075, margin: -low - 1e-4 }).verdict).not.toBe('pass');
    const [mirroredLow, mirroredHigh] = differenceBounds(
      values.map((d) => -d),
      { ...options, margin: -0.05 },
    );
    expect(mirroredLow).toBeCloseTo(-high, 6);
    expect(mirroredHigh).toBeCloseTo(-low, 6);
    const [fewLow, fewHigh] = differenceBounds(values.slice(0, 50), options);
    expect(high - low).toBeLessThan(0.6 * (fewHigh - fewLow));
  });

  test('cross no more than they meet, where first the one side is refuted and then the other', () => {
    const turned = [...Array<number>(40).fill(1), ...Array<number>(400).fill(-1)];
    const [low, high] = differenceBounds(turned, options);
    // Forty ones refute every difference below ½, whatever comes after.
    expect(low).toBeGreaterThan(0.5);
    expect(high).toBe(low);
  });

  test('hold at every look together, each at its α', () => {
    let lost = 0;
    for (let seed = 0; seed < 60; seed++) {
      const differences = sample(seed, 100, (r) => (r.uniform() < 0.3 ? 1 : 0) - (r.uniform() < 0.3 ? 1 : 0));
      const missed = [25, 50, 100].some((size) => {
        const [from, to] = differenceBounds(differences.slice(0, size), { margin: 0.1, alpha: 0.05 });
        return from > 0 || to < 0;
      });
      if (missed) lost++;
    }
    // 10 % of 60 is 6; above 13 with chance below 0.3 %.
    expect(lost).toBeLessThanOrEqual(13);
  });
});

describe('differences on the oracle’s scale', () => {
  const answer = (score: number, label?: number) => [{ score, label }];

  test('by hand: before any label ½ stands for the reward, and a label corrects it by its probability', () => {
    const prompts: GatePrompt[] = [
      { candidate: answer(0.9, 1), baseline: answer(0.2, 0.25) },
      { candidate: answer(0.9), baseline: answer(0.2, 0) },
    ];
    const { values, bounds } = pairedDifferences(prompts, {
      on: 'oracle',
      propensities: { candidate: 0.5, baseline: 0.25 },
    });
    // ½ + ½/0.5 − (½ − ¼/0.25) and ½ − (½ − ½/0.25).
    expect([...values]).toEqual([2, 2]);
    // R in [−½, 2 − ½] and in [−½ · 3, 4 − ½ · 3].
    expect(bounds).toEqual([
      [-3, 3],
      [-3, 3],
    ]);
    expect(pairedDifferences(prompts, { on: 'judge' })).toEqual({
      values: Float64Array.of(0.9 - 0.2, 0.9 - 0.2),
      bounds: [
        [-1, 1],
        [-1, 1],
      ],
    });
  });

  test('the reward of a later block is the mean label of those before, each counted by one over its probability', () => {
    const unlabelled: GatePrompt = { candidate: answer(0.9), baseline: answer(0.2) };
    const prompts: GatePrompt[] = [
      { candidate: answer(0.9, 1), baseline: answer(0.2, 0) },
      ...Array.from({ length: 24 }, () => unlabelled),
      { candidate: answer(0.9), baseline: answer(0.2, 1) },
    ];
    const { values } = pairedDifferences(prompts, { on: 'oracle', propensities: { candidate: 0.5, baseline: 0.25 } });
    // (2 · 1 + 4 · 0)/6 = ⅓, and ⅓ + ⅔/0.25 for the labelled one.
    expect(values[25]).toBeCloseTo(1 / 3 - 3, 12);
    expect(values[24]).toBe(0);
  });

  test('twenty labels make a curve of the scores, nineteen a mean', () => {
    // Labels 1 at a score of 0.9, labels 0 at 0.2: a curve tells the two apart, a mean does not.
    const rewards = (labelled: number) => {
      const prompts: GatePrompt[] = Array.from({ length: 26 }, (_, i) => ({
        candidate: answer(0.9, i < Math.ceil(labelled / 2) ? 1 : undefined),
        baseline: answer(0.2, i < Math.floor(labelled / 2) ? 0 : undefined),
      }));
      return pairedDifferences(prompts, { on: 'oracle', propensities: { candidate: 0.5, baseline: 0.5 } }).values[25];
    };
    expect(rewards(20)).toBe(1);
    expect(rewards(19)).toBe(0);
  });

  test('a curve bounds what is corrected by it: its highest reward below, its lowest above', () => {
    const prompts: GatePrompt[] = Array.from({ length: 26 }, (_, i) => ({
      candidate: answer(0.9, i < 10 ? 0.5 : undefined),
      baseline: answer(0.2, i < 10 ? 0.25 : undefined),
    }));
    const { bounds } = pairedDifferences(prompts, { on: 'oracle', propensities: { candidate: 0.5, baseline: 0.25 } });
    // Rewards from ¼ to ½: R in [−½ · 1, 2 − ¼ · 1] and in [−½ · 3, 4 − ¼ · 3].
    expect(bounds[25]).toEqual([-0.5 - 3.25, 1.75 + 1.5]);
    // Before it ½ is all there is: R in [−½, 1½] and in [−1½, 2½].
    expect(bounds[24]).toEqual([-3, 3]);
  });

  test('rest on labels of earlier blocks alone, and on average are those of the labels whatever the judge says', () => {
    const world = (seed: number, size: number): GatePrompt[] => {
      const random = randomSource(seed, 1);
      return Array.from({ length: size }, () => {
        const side = (mean: number) => {
          const quality = Math.min(1, Math.max(0, mean + 0.2 * random.normal()));
          // The judge likes what is bad.
          return answer(1 - quality, random.uniform() < 0.4 ? quality : undefined);
        };
        return { candidate: side(0.4), baseline: side(0.6) };
      });
    };
    const test = { on: 'oracle', propensities: { candidate: 0.4, baseline: 0.4 } } as const;
    const prompts = world(1, 60);
    const changed = prompts.map((prompt, i) => (i < 30 ? prompt : { ...prompt, candidate: answer(0.5, 1) }));
    const [values, others] = [prompts, changed].map((of) => [...pairedDifferences(of, test).values]);
    expect(others!.slice(0, 30)).toEqual(values!.slice(0, 30));
    const all = pairedDifferences(world(2, 4000), test).values;
    expect(all.reduce((sum, d) => sum + d, 0) / all.length).toBeCloseTo(-0.2, 1);
    expect(all.reduce((sum, d) => sum + d, 0) / all.length).toBeLessThan(-0.17);
  });
});
