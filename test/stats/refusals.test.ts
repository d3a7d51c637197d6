import path from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  type EstimatedPolicy,
  type EstimatorName,
  type EvaluationData,
  estimate,
  type LoggedRows,
  type RefusedPolicy,
} from '../../src/stats/index.ts';
import { draws, evaluation, log } from './support/hand-made.ts';
import { FIXTURES, loadCase } from './support/reference-data.ts';

const plain = loadCase(path.join(FIXTURES, 'plain'));
const ALL: readonly EstimatorName[] = [
  'direct',
  'ips',
  'snips',
  'calibrated-ips',
  'dr-cpo',
  'mrdr',
  'tmle',
  'stacked-dr',
];
const WEIGHTED = ALL.filter((name) => name !== 'direct');

type Column = 'judgeScores' | 'oracleLabels' | 'baseLogprobs';

function withLogged(change: Partial<LoggedRows>): EvaluationData {
  return { ...plain, logged: { ...plain.logged, ...change } };
}

function mapColumn(column: Column, to: (value: number, i: number) => number): EvaluationData {
  return withLogged({ [column]: plain.logged[column].map(to) });
}

function withTarget(policy: string, to: (value: number, i: number) => number): EvaluationData {
  const targetLogprobs = new Map(plain.logged.targetLogprobs);
  targetLogprobs.set(policy, targetLogprobs.get(policy)!.map(to));
  return withLogged({ targetLogprobs });
}

/** The logged base log probability plus a log ratio. */
const ratio = (of: (i: number) => number) => (_: number, i: number) => plain.logged.baseLogprobs[i]! + of(i);

function refusals(data: EvaluationData, estimator: EstimatorName, policy?: string): RefusedPolicy[] {
  const { policies } = estimate({ estimator }, data);
  return policies.filter(
    (p) => p.status === 'refused' && (policy === undefined || p.policy === policy),
  ) as RefusedPolicy[];
}

function firstRows(n: number): EvaluationData {
  const cut = (v: Float64Array) => v.slice(0, n);
  const { logged } = plain;
  const draws = new Map(
    [...plain.freshDraws].map(([policy, d]) => [
      policy,
      {
        promptIds: d.promptIds.slice(0, n),
        drawIndexes: d.drawIndexes.slice(0, n),
        judgeScores: cut(d.judgeScores),
        judgeVariances: cut(d.judgeVariances),
        oracleLabels: cut(d.oracleLabels),
        responseLengths: cut(d.responseLengths),
      },
    ]),
  );
  return {
    policies: plain.policies,
    freshDraws: draws,
    logged: {
      promptIds: logged.promptIds.slice(0, n),
      judgeScores: cut(logged.judgeScores),
      judgeVariances: cut(logged.judgeVariances),
      oracleLabels: cut(logged.oracleLabels),
      baseLogprobs: cut(logged.baseLogprobs),
      responseLengths: cut(logged.responseLengths),
      targetLogprobs: new Map([...logged.targetLogprobs].map(([p, v]) => [p, cut(v)])),
    },
  };
}

describe('what cannot be estimated is refused with a reason, never NaN', () => {
  const whole: readonly [name: string, data: EvaluationData, code: string][] = [
    ['no oracle label', mapColumn('oracleLabels', () => Number.NaN), 'no-oracle-labels'],
    ['three labels', mapColumn('oracleLabels', (y, i) => (i < 12 ? y : Number.NaN)), 'too-few-oracle-labels'],
    ['one judge score missing', mapColumn('judgeScores', (s, i) => (i === 0 ? Number.NaN : s)), 'missing-judge-scores'],
    ['all judge scores missing', mapColumn('judgeScores', () => Number.NaN), 'missing-judge-scores'],
    ['judge scores on 0–100', mapColumn('judgeScores', (s) => 100 * s), 'scores-out-of-scale'],
    ['one label above 1', mapColumn('oracleLabels', (y, i) => (i === 0 ? 1.2 : y)), 'scores-out-of-scale'],
    ['positive log probability', mapColumn('baseLogprobs', (l, i) => (i === 7 ? 0.5 : l)), 'bad-input'],
    [
      'infinite log probability',
      mapColumn('baseLogprobs', (l, i) => (i === 7 ? Number.NEGATIVE_INFINITY : l)),
      'bad-input',
    ],
    ['constant judge', mapColumn('judgeScores', () => 0.5), 'uninformative-judge'],
    ['12 rows', firstRows(12), 'too-few-'],
    [
      'empty prompt id',
      withLogged({ promptIds: plain.logged.promptIds.map((id, i) => (i === 3 ? '' : id)) }),
      'bad-input',
    ],
  ];
  for (const [name, data, code] of whole) {
    test(`${name}: every estimator, every policy`, () => {
      for (const estimator of ALL) {
        const { policies } = estimate({ estimator }, data);
        for (const p of policies) {
          expect(p.status, `${estimator} ${p.policy}`).toBe('refused');
          const { code: given, message, whatToCollect } = p as RefusedPolicy;
          expect(given, `${estimator}: ${message}`).toContain(code);
          expect(whatToCollect.length).toBeGreaterThan(10);
        }
      }
    });
  }

  test('a missing score on an unlabelled row does not touch Direct, and rows can be dropped by option', () => {
    const unlabelled = plain.logged.oracleLabels.findIndex(Number.isNaN);
    const data = mapColumn('judgeScores', (s, i) => (i === unlabelled ? Number.NaN : s));
    expect(refusals(data, 'direct')).toEqual([]);
    const { policies } = estimate({ estimator: 'snips', onMissingJudgeScore: 'drop' }, data);
    expect(policies[0]!.status === 'ok' && policies[0]!.n).toBe(399);
    expect(policies[0]!.diagnostics.droppedForScore).toBe(1);
  });

  test('the message names the rows', () => {
    const data = mapColumn('judgeScores', (s, i) => (i % 50 === 3 ? Number.NaN : s));
    expect(refusals(data, 'snips')[0]!.message).toBe(
      'no judge score on 8 logged rows: 3, 53, 103, 153, 203 and 3 more',
    );
  });
});

describe('a refusal is one policy’s, not the run’s', () => {
  test('a policy without log probabilities', () => {
    const data = withTarget('moderate', () => Number.NaN);
    for (const estimator of WEIGHTED) {
      expect(refusals(data, estimator, 'moderate')[0]?.code, estimator).toBe('no-log-probabilities');
      expect(refusals(data, estimator, 'clone'), estimator).toEqual([]);
    }
    expect(refusals(data, 'direct')).toEqual([]);
  });

  test('half the log probabilities halve that policy’s n only; parity’s list-wise deletion halves all', () => {
    const data = withTarget('moderate', (l, i) => (i % 2 === 0 ? Number.NaN : l));
    const n = (mode: 'recommended' | 'parity') =>
      Object.fromEntries(
        estimate({ estimator: 'snips', mode }, data)
          .policies.filter((p) => p.policy !== 'severe')
          .map((p) => [p.policy, (p as EstimatedPolicy).n]),
      );
    expect(n('recommended')).toEqual({ clone: 400, moderate: 200 });
    expect(n('parity')).toEqual({ clone: 200, moderate: 200 });
  });

  const overlap: readonly [name: string, data: EvaluationData, codes: readonly string[]][] = [
    [
      'every log ratio −900',
      withTarget(
        'moderate',
        ratio(() => -900),
      ),
      ['mean-raw-weight'],
    ],
    [
      '90 % underflow',
      withTarget(
        'moderate',
        ratio((i) => (i % 10 === 0 ? 0 : -900)),
      ),
      ['mean-raw-weight', 'low-effective-sample-size'],
    ],
  ];
  for (const [name, data, codes] of overlap) {
    test(name, () => {
      for (const estimator of WEIGHTED) {
        const [refused] = refusals(data, estimator, 'moderate');
        expect(codes, estimator).toContain(refused?.code);
        expect(refused!.diagnostics.rawWeights, 'the values are shown').not.toBeNull();
        expect(refusals(data, estimator, 'clone')).toEqual([]);
      }
    });
  }

  test('one log ratio of +800, whose weight overflows', () => {
    const base = plain.logged.baseLogprobs.map((l, i) => (i === 5 ? -900 : l));
    const data = {
      ...plain,
      logged: { ...withTarget('moderate', (l, i) => (i === 5 ? -100 : l)).logged, baseLogprobs: base },
    };
    for (const estimator of WEIGHTED) expect(refusals(data, estimator, 'moderate').length, estimator).toBe(1);
  });

  test('fresh draws that lack prompts, a policy, or a score', () => {
    const draws = (policy: string, keep: (i: number) => boolean) => {
      const d = plain.freshDraws.get(policy)!;
      const rows = d.promptIds.map((_, i) => i).filter(keep);
      const pick = (v: Float64Array) => Float64Array.from(rows, (i) => v[i]!);
      return {
        promptIds: rows.map((i) => d.promptIds[i]!),
        drawIndexes: Int32Array.from(rows, (i) => d.drawIndexes[i]!),
        judgeScores: pick(d.judgeScores),
        judgeVariances: pick(d.judgeVariances),
        oracleLabels: pick(d.oracleLabels),
        responseLengths: pick(d.responseLengths),
      };
    };
    const lacking = {
      ...plain,
      freshDraws: new Map(plain.freshDraws).set(
        'clone',
        draws('clone', (i) => i >= 3),
      ),
    };
    const without = new Map(plain.freshDraws);
    without.delete('clone');
    for (const estimator of ['dr-cpo', 'mrdr', 'tmle', 'stacked-dr'] as const) {
      const [refused] = refusals(lacking, estimator, 'clone');
      expect(refused?.code).toBe('missing-fresh-draws');
      expect(refused?.message).toContain('plain-0000, plain-0001, plain-0002');
      expect(refusals({ ...plain, freshDraws: without }, estimator, 'clone')[0]?.code).toBe('no-fresh-draws');
      expect(refusals({ ...plain, freshDraws: without }, estimator, 'moderate')).toEqual([]);
      const dropped = estimate({ estimator, onMissingFreshDraw: 'drop' }, lacking).policies[0] as EstimatedPolicy;
      expect(dropped.n).toBe(397);
    }
    const direct = estimate({ estimator: 'direct' }, lacking).policies[0] as EstimatedPolicy;
    expect(direct.n).toBe(397);
    const unscored = draws('clone', () => true);
    unscored.judgeScores[9] = Number.NaN;
    const data = { ...plain, freshDraws: new Map(plain.freshDraws).set('clone', unscored) };
    expect(refusals(data, 'direct', 'clone')[0]?.code).toBe('missing-judge-scores');
    expect(refusals(data, 'dr-cpo', 'clone')[0]?.code).toBe('missing-judge-scores');
    expect(refusals(data, 'dr-cpo', 'moderate')).toEqual([]);
  });

  test('labels only at low scores: the level of every policy is extrapolated', () => {
    const data = mapColumn('oracleLabels', (y, i) => (plain.logged.judgeScores[i]! <= 0.55 ? y : Number.NaN));
    for (const estimator of ALL) {
      for (const r of refusals(data, estimator))
        expect(['outside-calibration-range', 'low-effective-sample-size', 'stabilisation-bias']).toContain(r.code);
      expect(refusals(data, estimator, 'moderate').length, estimator).toBe(1);
    }
  });
});

describe('degenerate but estimable', () => {
  test('few labels: fewer folds, down to two; parity wants two a fold', () => {
    const labelled = Array.from(plain.logged.oracleLabels.keys()).filter(
      (i) => !Number.isNaN(plain.logged.oracleLabels[i]!),
    );
    const first = (m: number) => {
      const keep = new Set(labelled.slice(0, m));
      return mapColumn('oracleLabels', (y, i) => (keep.has(i) ? y : Number.NaN));
    };
    const parity = estimate({ estimator: 'snips', mode: 'parity' }, first(9));
    expect((parity.policies[0] as RefusedPolicy).code).toBe('too-few-oracle-labels');
    expect(estimate({ estimator: 'snips', mode: 'parity' }, first(10)).policies[0]!.status).toBe('ok');
    expect(estimate({ estimator: 'snips' }, first(9)).calibration!.folds).toBe(4);
    expect(estimate({ estimator: 'snips' }, first(4)).calibration!.folds).toBe(2);
  });

  test('a judge that runs against the oracle: auto takes two-stage, monotone says that it collapsed', () => {
    const data = mapColumn('judgeScores', (s) => 1 - s);
    expect(estimate({ estimator: 'snips' }, data).calibration!.selected).toBe('two-stage');
    const monotone = estimate({ estimator: 'snips', rewardCalibration: 'monotone' }, data);
    expect(monotone.calibration!.collapsed).toBe(true);
    expect(monotone.warnings.join()).toContain('runs against the oracle');
  });

  test('constant labels warn', () => {
    const data = mapColumn('oracleLabels', (y) => (Number.isNaN(y) ? y : 0.5));
    expect(estimate({ estimator: 'direct' }, data).warnings.join()).toContain('all oracle labels are equal');
  });

  test('all rows labelled: rewards are labels, no oracle term', () => {
    const data = mapColumn('oracleLabels', (y, i) => (Number.isNaN(y) ? (i % 7) / 7 : y));
    const result = estimate({ estimator: 'ips' }, data).policies[0] as EstimatedPolicy;
    const labels = data.logged.oracleLabels;
    expect(result.estimate).toBeCloseTo(labels.reduce((s, y) => s + y, 0) / labels.length, 12);
    expect(result.components.oracleVariance).toBe(0);
  });

  test('a clone has weights of one and the log’s mean', () => {
    const p = estimate({ estimator: 'snips' }, plain).policies[0] as EstimatedPolicy;
    expect([p.ess, p.meanRawWeight, p.tail!.index]).toEqual([400, 1, Number.POSITIVE_INFINITY]);
  });

  test('a wrong setting is the caller’s mistake, and thrown', () => {
    expect(() => estimate({ estimator: 'snips', folds: 1 }, plain)).toThrow('folds');
    expect(() => estimate({ estimator: 'snips', alpha: 2 }, plain)).toThrow('alpha');
    expect(() => estimate({ estimator: 'nonsense' as 'snips' }, plain)).toThrow('unknown estimator');
  });
});

test('labels are not asked for where rows are too few with any number of them', () => {
  const scores = [0.1, 0.4, 0.6, 0.9];
  const own = (labels: readonly number[]) =>
    evaluation(log({ scores: [0.2, 0.3, 0.5, 0.7], labels: [0, 0, 1, 1] }), { p: draws({ scores, labels }) });
  const few = { gates: { minimumLabels: 2, minimumOwnLabels: 3, minimumRows: 5 } };
  const refusedAs = (estimator: EstimatorName, data: EvaluationData, more: object = few) =>
    estimate({ estimator, ...more }, data).policies[0];
  const tooFew = { code: 'too-few-rows', whatToCollect: expect.stringContaining('More prompts') };
  expect(refusedAs('direct-augmented', own([1, Number.NaN, Number.NaN, 0]))).toMatchObject(tooFew);
  expect(refusedAs('direct', firstRows(12))).toMatchObject({ code: 'too-few-oracle-labels' });
  const unlabelled = evaluation(log({ scores, labels: scores.map(() => Number.NaN) }), { p: draws({ scores }) });
  expect(refusedAs('direct', unlabelled)).toMatchObject(tooFew);
  expect(refusedAs('direct', unlabelled, { gates: { minimumRows: 4 } })).toMatchObject({ code: 'no-oracle-labels' });
});
