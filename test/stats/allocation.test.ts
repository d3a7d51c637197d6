import { describe, expect, test } from 'vitest';
import { EQUATION_WORLDS, simulateEquations } from '../../bench/coverage/equations.ts';
import { shuffled } from '../../bench/coverage/shuffled.ts';
import { probabilities } from '../../src/stats/allocation.ts';
import { allocateLabels, foldsOfPrompts } from '../../src/stats/index.ts';
import { draws, evaluation, log } from './support/hand-made.ts';

describe('probabilities of labels', () => {
  const of = (wanted: readonly number[], before: readonly number[], total: number) =>
    [...probabilities(Float64Array.from(wanted), Float64Array.from(before), total)].map((p) => Number(p.toFixed(9)));

  test('in proportion, held at 1, at what they were and at a fifth of the mean', () => {
    expect(of([1, 3], [0, 0], 0.4)).toEqual([0.1, 0.3]);
    // 1.5 wanted of 1 : 9: the second is certain, so that the first has the rest.
    expect(of([1, 9], [0, 0], 1.5)).toEqual([0.5, 1]);
    // A fifth of 0.5 is the least: the rest of 1 is the second's.
    expect(of([1, 19], [0, 0], 1)).toEqual([0.1, 0.9]);
    // What was drawn with probability 0.3 before cannot be drawn less often.
    expect(of([1, 3], [0.3, 0.3], 0.8)).toEqual([0.3, 0.5]);
    expect(of([1, 9], [0, 0], 5)).toEqual([1, 1]);
    expect(of([0, 0], [0, 0], 1)).toEqual([0.5, 0.5]);
  });
});

describe('the allocation', () => {
  const world = { ...EQUATION_WORLDS.STEP!, policies: ['clone'], labels: 100 };
  const data = simulateEquations(world, 4);
  const rowsOf = (labels: number, seed = 1, of = data) => {
    const allocation = allocateLabels({ estimator: 'direct', rewardCalibration: 'monotone' }, of, { labels, seed });
    if (!allocation.ok) throw new Error(allocation.refusal.message);
    return allocation.rows;
  };

  test('asks more often where labels scatter, of nobody who has one, and about as often as wanted', () => {
    const rows = rowsOf(60);
    const mean = (where: (score: number) => boolean) => {
      const of = rows.filter((_, i) => where(data.logged.judgeScores[i]!)).map(({ labelPropensity: p }) => p);
      return of.reduce((s, p) => s + p, 0) / of.length;
    };
    // Noise 0.2 below a score of 0.5, and 0.02 above.
    expect(mean((s) => s < 0.5)).toBeGreaterThan(1.3 * mean((s) => s > 0.55));
    // A hundred labels before, sixty now.
    expect(rows.reduce((s, { labelPropensity: p }) => s + p, 0)).toBeCloseTo(160, 6);
    rows.forEach(({ chosen }, i) => {
      if (!Number.isNaN(data.logged.oracleLabels[i]!)) expect(chosen).toBe(false);
    });
    const counts = [1, 2, 3, 4, 5, 6].map((seed) => rowsOf(60, seed).filter(({ chosen }) => chosen).length);
    expect(counts.reduce((s, c) => s + c, 0) / 6).toBeGreaterThan(50);
    expect(counts.reduce((s, c) => s + c, 0) / 6).toBeLessThan(70);
    // Nobody's chance is below what it was: a fifth, at random.
    expect(Math.min(...rows.map(({ labelPropensity: p }) => p))).toBeGreaterThan(0.2 - 1e-9);
  });

  test('draws each row of a prompt for itself, whatever the order of rows, and says which it is', () => {
    const repeated = simulateEquations({ ...world, prompts: 60, repeats: 3, labels: 40 }, 4);
    const rows = rowsOf(70, 1, repeated);
    expect(rows.slice(0, 4).map(({ promptId, draw }) => [promptId, draw])).toEqual([
      ['prompt-0', 0],
      ['prompt-0', 1],
      ['prompt-0', 2],
      ['prompt-1', 0],
    ]);
    const chosen = Array.from({ length: 60 }, (_, p) => rows.filter((row, i) => row.chosen && Math.floor(i / 3) === p));
    expect(chosen.filter(({ length }) => length === 1 || length === 2).length).toBeGreaterThan(20);
    const scores = (of: typeof data, all: typeof rows) =>
      all.flatMap(({ chosen: is }, i) => (is ? [of.logged.judgeScores[i]!] : [])).toSorted((x, y) => x - y);
    const other = shuffled(repeated, 3);
    expect(scores(other, rowsOf(70, 1, other))).toEqual(scores(repeated, rows));
    expect(rowsOf(60)[0]).not.toHaveProperty('draw');
  });

  test('a label never decides on its own probability', () => {
    const before = rowsOf(60).map(({ labelPropensity }) => labelPropensity);
    const at = data.logged.oracleLabels.findIndex((y) => !Number.isNaN(y));
    const oracleLabels = data.logged.oracleLabels.map((y, i) => (i === at ? 1 - y : y));
    const after = rowsOf(60, 1, { ...data, logged: { ...data.logged, oracleLabels } }).map(
      (row) => row.labelPropensity,
    );
    const ratios = after.map((p, i) => p / before[i]!);
    const folds = foldsOfPrompts(data.logged.promptIds, 5, 42);
    // Its fold's rows move together, by the common scale alone; those of the others by what it says of their bins.
    const ofFold = ratios.filter((_, i) => folds[i] === folds[at] && before[i]! > 0.21 && before[i]! < 1);
    expect(Math.max(...ofFold) - Math.min(...ofFold)).toBeLessThan(1e-6);
    expect(Math.max(...ratios) - Math.min(...ratios)).toBeGreaterThan(1e-3);
  });

  test('a second allocation goes on from the probabilities of the first', () => {
    const first = rowsOf(60);
    const labelled = new Set(first.flatMap(({ chosen }, i) => (chosen ? [i] : [])));
    const logged = {
      ...data.logged,
      oracleLabels: data.logged.oracleLabels.map((y, i) => (labelled.has(i) ? data.logged.judgeScores[i]! : y)),
      labelPropensities: Float64Array.from(first, ({ labelPropensity }) => labelPropensity),
    };
    const second = rowsOf(50, 2, { ...data, logged });
    expect(second.reduce((s, { labelPropensity: p }) => s + p, 0)).toBeCloseTo(210, 6);
    second.forEach(({ labelPropensity: p }, i) => {
      expect(p).toBeGreaterThan(first[i]!.labelPropensity - 1e-9);
    });
  });

  test.each([
    // Twenty labels of each, squares 0.16 and 0.01: far likelier as two means than as one.
    [20, 20, 0.4, 0.1],
    // Squares 6.3 times as large: twice the log likelihood gains about 12, more or less by fold.
    [20, 20, 0.251, 0.1],
    // Seven labels far off: some folds leave six of them, and others fewer.
    [7, 33, 0.4, 0.12],
  ])(
    'by hand: as the spread of residuals %d wide, %d narrow (%f and %f off), where they are likelier apart',
    (wide, narrow, far, near) => {
      // A hundred scores of 0.2 and of 0.8. A row's fold takes its labels out, and the mean of the others' squares joins
      // each part as one more label.
      const scores = Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? 0.2 : 0.8));
      const isLabelled = scores.map((s, i) => Math.floor(i / 2) < (s === 0.2 ? wide : narrow));
      const labels = scores.map((s, i) => (!isLabelled[i] ? Number.NaN : s === 0.2 ? s + far : s + near));
      const data = evaluation(log({ scores, labels }));
      const allocation = allocateLabels({ estimator: 'direct', rewardCalibration: 'none' }, data, {
        labels: 80,
        seed: 1,
      });
      if (!allocation.ok) throw new Error(allocation.refusal.message);
      const propensities = allocation.rows.map(({ labelPropensity }) => labelPropensity);
      expect(propensities.reduce((total, p) => total + p, 0)).toBeCloseTo(120, 9);
      const folds = foldsOfPrompts(data.logged.promptIds, 5, 42);
      const cuts = Array.from(new Set(folds), (fold) => {
        const outside = (rest: number) =>
          scores.filter((_, i) => isLabelled[i] && i % 2 === rest && folds[i] !== fold).length;
        const [wides, narrows] = [outside(0), outside(1)];
        const mean = (wides * far ** 2 + narrows * near ** 2) / (wides + narrows);
        const gain = (wides + narrows) * Math.log(mean) - wides * Math.log(far ** 2) - narrows * Math.log(near ** 2);
        const isCut = Math.min(wides, narrows) >= 6 && gain > 12;
        const [ofWide, ofNarrow] = [[wides, far] as const, [narrows, near] as const].map(
          ([count, off]) => (count * off ** 2 + mean) / (count + 1),
        );
        const at = (rest: number) => propensities[scores.findIndex((_, i) => i % 2 === rest && folds[i] === fold)]!;
        expect(at(0) / at(1)).toBeCloseTo(isCut ? Math.sqrt(ofWide! / ofNarrow!) : 1, 9);
        return isCut;
      });
      expect(new Set(cuts).size).toBe(far === 0.4 && wide === 20 ? 1 : 2);
    },
  );

  test('bins of the scores have six labels each, and are twenty at the most', () => {
    const asked = (levels: number, labelsOf: (level: number) => number, draw: (level: number) => number) => {
      const scores = Array.from({ length: 30 * levels }, (_, i) => (1 + (i % levels)) / 25);
      const labels = scores.map((s, i) => (Math.floor(i / levels) < labelsOf(i % levels) ? s + 0.01 : Number.NaN));
      const own = Array.from({ length: levels }, (_, level) => new Array<number>(draw(level)).fill((1 + level) / 25));
      const data = evaluation(log({ scores, labels }), { p: draws({ scores: own.flat() }) });
      const of = { labels: 10 * levels, seed: 1 };
      const found = allocateLabels({ estimator: 'direct', rewardCalibration: 'none' }, data, of);
      if (!found.ok) throw new Error(found.refusal.message);
      return found.rows.slice(-levels).map(({ labelPropensity: p }) => p);
    };
    // Three levels, of which the policy has most of the highest: eighteen labels tell the two lower ones from each other,
    // seventeen do not.
    const draw = (level: number) => [60, 180, 360][level]!;
    const [low, middle, high] = asked(3, () => 6, draw);
    expect([middle! - low!, high! - middle!].every((apart) => apart > 0.05)).toBe(true);
    const [below, between, above] = asked(3, (level) => (level === 0 ? 5 : 6), draw);
    expect(between! - below!).toBeGreaterThan(0.05);
    expect(above).toBeCloseTo(between!, 9);
    // Of 21 levels the two highest share the last of twenty bins.
    const all = asked(
      21,
      () => 6,
      (level) => 40 + 28 * level,
    );
    expect(all[20]).toBeCloseTo(all[19]!, 9);
    expect(all[19]! - all[18]!).toBeGreaterThan(1e-3);
  });

  test('scores are never cut between two that are equal', () => {
    // Half of the labels at a score of 0.3 are far off, and no cut could tell a row which half it is in. Those at 0.7
    // scatter as much in the mean.
    const scores = Array.from({ length: 200 }, (_, i) => (i < 100 ? 0.3 : 0.7));
    const even = Math.sqrt((0.0001 + 0.09) / 2);
    const off = (s: number, i: number) => (s === 0.7 ? even : i % 2 === 0 ? 0.01 : 0.3);
    const labels = scores.map((s, i) => (i % 100 >= 60 ? Number.NaN : s + off(s, i)));
    const allocation = allocateLabels(
      { estimator: 'direct', rewardCalibration: 'none' },
      evaluation(log({ scores, labels })),
      { labels: 30, seed: 1 },
    );
    if (!allocation.ok) throw new Error(allocation.refusal.message);
    // What a fold leaves out is not just half of either, so that folds differ a little; what was 120 of 200 becomes 150.
    for (const { labelPropensity } of allocation.rows) expect(labelPropensity).toBeCloseTo(0.75, 1);
  });

  test('a fold without whose labels nothing scatters is asked as often as the others', () => {
    // One label alone is off, and no rows but those of its fold are judged without it.
    const scores = Array.from({ length: 100 }, (_, i) => (i % 10) / 10);
    const labels = scores.map((s, i) => (i >= 40 ? Number.NaN : i === 7 ? 0 : s));
    const allocation = allocateLabels(
      { estimator: 'direct', rewardCalibration: 'none' },
      evaluation(log({ scores, labels })),
      {
        labels: 50,
        seed: 1,
      },
    );
    if (!allocation.ok) throw new Error(allocation.refusal.message);
    const propensities = allocation.rows.map(({ labelPropensity: p }) => p);
    expect(propensities.reduce((total, p) => total + p, 0)).toBeCloseTo(90, 9);
    expect(Math.min(...propensities)).toBeGreaterThan(0.8);
  });

  test('asks for as many everywhere where labels scatter alike', () => {
    const { prompts, ...world } = EQUATION_WORLDS.CONT!;
    const alike = simulateEquations({ ...world, prompts, labels: 30, policies: [] }, 3);
    const allocation = allocateLabels({ estimator: 'direct', rewardCalibration: 'monotone' }, alike, {
      labels: 30,
      seed: 1,
    });
    if (!allocation.ok) throw new Error(allocation.refusal.message);
    for (const { labelPropensity } of allocation.rows) expect(labelPropensity).toBeCloseTo(60 / prompts, 9);
  });

  test('by hand: as the policies’ draws lie against the log, as far as chance does not explain it', () => {
    // Two bins of fifty rows; twelve labels, six in each, all 0.1 off.
    const scores = Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? 0.2 : 0.8));
    const labels = scores.map((s, i) => (i < 12 ? s + 0.1 : Number.NaN));
    const own = (low: number) => draws({ scores: Array.from({ length: 40 }, (_, i) => (i < low ? 0.2 : 0.8)) });
    const asked = (of: Readonly<Record<string, ReturnType<typeof own>>>) => {
      const data = evaluation(log({ scores, labels }), of);
      const found = allocateLabels({ estimator: 'direct', rewardCalibration: 'none' }, data, { labels: 28, seed: 1 });
      if (!found.ok) throw new Error(found.refusal.message);
      return found.rows.slice(20, 22).map(({ labelPropensity }) => labelPropensity);
    };
    // 30 and 10 of 40 draws are 1.5 and 0.5 times the log's share: spread 0.25, of which 0.075 is chance,
    // ½(1.5/20 + 2.25/50) + ½(0.5/20 + 0.25/50). Seven tenths of each are kept: 1.35 and 0.65 of a mean of 40/100.
    expect(asked({ a: own(30) })).toEqual([expect.closeTo(0.54, 9), expect.closeTo(0.26, 9)]);
    // Another policy that lies like the log: the mean of both.
    expect(asked({ a: own(30), b: own(20) })).toEqual([expect.closeTo(0.47, 9), expect.closeTo(0.33, 9)]);
    expect(asked({})).toEqual([expect.closeTo(0.4, 9), expect.closeTo(0.4, 9)]);
  });

  test('asks where a policy scores, and not where it does not', () => {
    const scores = Array.from({ length: 200 }, (_, i) => (i % 20) / 20);
    const labels = scores.map((s, i) => (i < 60 ? s + (i % 2 === 0 ? 0.05 : 0) : Number.NaN));
    const high = evaluation(log({ scores, labels }), { p: draws({ scores: scores.map((s) => 0.5 + s / 2) }) });
    const rows = rowsOf(30, 1, high);
    expect(rows[19]!.labelPropensity).toBeGreaterThan(rows[1]!.labelPropensity);
  });

  test('without labels there is nothing to go by', () => {
    const none = evaluation(log({ scores: [0.1, 0.2] }), {});
    expect(allocateLabels({ estimator: 'direct' }, none, { labels: 1, seed: 1 })).toMatchObject({
      ok: false,
      refusal: { code: 'no-oracle-labels' },
    });
  });
});
