import { describe, expect, test } from 'vitest';
import { boundaryCard } from '../../src/stats/diagnostics/boundary.ts';
import { orthogonality } from '../../src/stats/diagnostics/orthogonality.ts';
import { reliabilityFlags } from '../../src/stats/diagnostics/reliability.ts';
import { refusalOf } from '../../src/stats/gates/gate-refusals.ts';
import {
  boundaryGates,
  DEFAULT_GATES,
  drawGates,
  effectiveLabelsGate,
  type GateCheck,
  type GateThresholds,
  impliedEssGate,
  labelBalanceGate,
  labelSupportGate,
  overlapGates,
  ownLabelsGate,
  pooledLabelsGate,
  rowsGate,
  scoreOverlapGate,
  stabilisationGate,
  transportGates,
  unauditedGate,
  unseenLabelsGate,
} from '../../src/stats/gates/gates.ts';
import { OPEN_GATES } from '../../src/stats/gates/open-gates.ts';
import { auditTransport, marginOf, type TransportAudit } from '../../src/stats/gates/transport-audit.ts';
import { type WeightDiagnostics, weightDiagnostics } from '../../src/stats/weights/diagnostics.ts';

/** As far from a threshold as a test of "just inside" needs. */
const STEP = 1e-9;

const SCORES = { meanScore: 0.5, labelledScoreVariance: 0.04, residualVariance: 0.01, slope: 1 };
const BLOCKS = { blockShares: Float64Array.of(1), blockLabels: Float64Array.of(10), blockLevels: Float64Array.of(0.5) };

test('the thresholds are those of docs/statistics.md', () => {
  expect(DEFAULT_GATES).toEqual({
    minimumRows: 30,
    minimumDrawShare: 0.95,
    minimumOwnLabels: 10,
    minimumWeightedLabels: 30,
    minimumEss: 20,
    minimumEssFraction: 0.05,
    minimumEssWithoutDraws: 50,
    minimumEssFractionWithoutDraws: 0.1,
    minimumEssFractionUnnormalised: 0.15,
    warnEssFraction: 0.3,
    minimumTailIndex: 1,
    warnTailIndex: 2,
    maximumRowShare: 0.2,
    maximumLogMeanWeight: Math.log(2),
    warnOutOfRange: 0.05,
    maximumOutOfRange: 0.3,
    maximumIdentificationWidth: 0.1,
    minimumScoreOverlap: 0.6,
    warnScoreOverlap: 0.8,
    minimumLabelSupport: 0.05,
    warnLabelSupport: 0.15,
    warnSaturation: 0.2,
    maximumStabilisationShift: 0.5,
    transportMargin: 0.05,
  });
});

test('open gates refuse nothing, however bad', () => {
  const gates = { ...DEFAULT_GATES, ...OPEN_GATES };
  const worst: WeightDiagnostics = {
    ...weightDiagnostics(Float64Array.of(1, 0, 0)),
    ess: 0,
    essFraction: 0,
    maximumShare: 1,
    mean: 1e-300,
    tailIndex: { kind: 'estimated', value: 0, topRows: 2 },
  };
  const card = {
    status: 'refuse-level' as const,
    outOfRange: 1,
    saturation: 1,
    partialIdentificationWidth: 1e9,
    openBelow: 1,
    openAbove: 1,
    labelledScoreRange: [0, 1] as const,
  };
  const support = { share: 0, ...BLOCKS, ...SCORES, effective: 0, labels: 0 };
  const checks = (of: GateThresholds) => [
    rowsGate(0, of),
    ...overlapGates(worst, worst, of, 'nothing'),
    impliedEssGate(0, 'normalised', of),
    impliedEssGate(0, 'unnormalised', of),
    ...boundaryGates(card, of),
    scoreOverlapGate(0, of),
    labelSupportGate(support, of),
    stabilisationGate(1e9, 1e-3, of),
    effectiveLabelsGate(0, of.minimumOwnLabels),
    effectiveLabelsGate(0, of.minimumWeightedLabels),
  ];
  const refusing = (of: GateThresholds) => checks(of).filter(({ verdict }) => verdict === 'refuse');
  expect(refusing(gates)).toEqual([]);
  // All of them refuse as they are set by default, but for saturation, which only warns.
  expect(refusing(DEFAULT_GATES)).toHaveLength(checks(DEFAULT_GATES).length - 1);
  expect(gates).toMatchObject({ minimumDrawShare: 0, minimumEssWithoutDraws: 0, minimumEssFractionWithoutDraws: 0 });
  expect(gates.transportMargin).toBeNull();
});

/** Weights that pass every gate. */
const fine: WeightDiagnostics = {
  ...weightDiagnostics(new Float64Array(100).fill(1)),
  tailIndex: { kind: 'estimated', value: 3, topRows: 10 },
};
const verdictOn = (name: GateCheck['gate'], change: Partial<WeightDiagnostics>) =>
  overlapGates({ ...fine, ...change }, null, DEFAULT_GATES).find(({ gate }) => gate === name)!.verdict;
const tail = (value: number) => ({ tailIndex: { kind: 'estimated', value, topRows: 16 } as const });

describe('gates on weights, just inside and just outside', () => {
  test.each<[GateCheck['gate'], Partial<WeightDiagnostics>, GateCheck['verdict']]>([
    ['ess', { ess: 20 }, 'pass'],
    ['ess', { ess: 20 - STEP }, 'refuse'],
    ['ess-fraction', { essFraction: 0.3 }, 'pass'],
    ['ess-fraction', { essFraction: 0.3 - STEP }, 'warn'],
    ['ess-fraction', { essFraction: 0.05 }, 'warn'],
    ['ess-fraction', { essFraction: 0.05 - STEP }, 'refuse'],
    ['row-share', { maximumShare: 0.2 }, 'pass'],
    ['row-share', { maximumShare: 0.2 + STEP }, 'refuse'],
    ['tail-index', tail(2), 'pass'],
    ['tail-index', tail(2 - STEP), 'warn'],
    ['tail-index', tail(1), 'warn'],
    ['tail-index', tail(1 - STEP), 'refuse'],
    ['tail-index', { tailIndex: { kind: 'uniform' } }, 'pass'],
    ['tail-index', { tailIndex: { kind: 'unavailable', reason: 'too-few-rows' } }, 'warn'],
    // ln 2 on both sides: a mean of 2, and of one half.
    ['mean-raw-weight', { mean: 2 }, 'pass'],
    ['mean-raw-weight', { mean: 2 + STEP }, 'refuse'],
    ['mean-raw-weight', { mean: 0.5 }, 'pass'],
    ['mean-raw-weight', { mean: 0.5 - STEP }, 'refuse'],
    ['mean-raw-weight', { mean: 0 }, 'refuse'],
  ])('%s %j: %s', (gate, change, verdict) => {
    expect(verdictOn(gate, change)).toBe(verdict);
  });

  test('weights alone need a tail that is surely light: sixteen rows know it to a quarter of itself', () => {
    const alone = (value: number) =>
      overlapGates({ ...fine, ...tail(value) }, null, DEFAULT_GATES, 'nothing').find(
        ({ gate }) => gate === 'tail-index',
      )!;
    expect(alone(2 / 0.75).verdict).toBe('pass');
    expect(alone(2 / 0.75 - STEP).verdict).toBe('warn');
    expect(alone(1 - STEP).verdict).toBe('refuse');
  });

  test('every gate tells its value, on the raw weights and on those in use where they differ', () => {
    const both = overlapGates(fine, { ...fine, ess: 7 }, DEFAULT_GATES);
    expect(both.map(({ gate, on, value, threshold }) => [gate, on, value, threshold])).toEqual([
      ['mean-raw-weight', 'raw', 1, Math.log(2)],
      ['ess', 'raw', 100, 20],
      ['ess-fraction', 'raw', 1, 0.05],
      ['row-share', 'raw', 0.01, 0.2],
      ['tail-index', 'raw', 3, 1],
      ['ess', 'in-use', 7, 20],
      ['ess-fraction', 'in-use', 1, 0.05],
      ['row-share', 'in-use', 0.01, 0.2],
      ['tail-index', 'in-use', 3, 1],
    ]);
    expect(both.filter(({ verdict }) => verdict === 'refuse').map(({ on }) => on)).toEqual(['in-use']);
    expect(overlapGates(fine, null, DEFAULT_GATES)).toHaveLength(5);
  });
});

describe('the other gates, just inside and just outside', () => {
  test.each([
    [30, 'pass'],
    [29, 'refuse'],
  ])('%d rows: %s', (rows, verdict) => {
    expect(rowsGate(rows, DEFAULT_GATES)).toMatchObject({ value: rows, threshold: 30, verdict });
  });

  test.each([
    [0.05, 0.1, 'pass'],
    [0.0501, 0.1, 'refuse'],
    [-0.05, 0.1, 'pass'],
    [-0.0501, 0.1, 'refuse'],
    // Rounding over rounding is no shift.
    [5e-13, 1e-15, 'pass'],
    [2e-12, 1e-15, 'refuse'],
  ])('a shift of %f with standard error %f: %s', (shift, standardError, verdict) => {
    expect(stabilisationGate(shift, standardError, DEFAULT_GATES).verdict).toBe(verdict);
  });

  test.each([
    [0.05, 'pass'],
    [0.05 + STEP, 'warn'],
    [-0.05, 'pass'],
    [-0.05 - STEP, 'warn'],
  ])('own labels that would add %f, against 0.05: %s', (error, verdict) => {
    expect(ownLabelsGate({ error, bound: 0.05 })).toMatchObject({ value: error, threshold: 0.05, verdict });
  });

  test.each([
    [0.001, 'pass'],
    [0.001 - STEP, 'warn'],
  ])('prompts without a draw, of another kind with p %f: %s', (pValue, verdict) => {
    const coverage = { prompts: 100, missing: 3, share: 0.97, pValue };
    expect(drawGates(coverage, DEFAULT_GATES).map((gate) => gate.verdict)).toEqual(['warn', verdict]);
    expect(drawGates({ ...coverage, missing: 0, share: 1 }, DEFAULT_GATES).map((gate) => gate.verdict)).toEqual([
      'pass',
    ]);
    expect(drawGates({ ...coverage, share: 0.95 - STEP }, DEFAULT_GATES)[0]!.verdict).toBe('refuse');
    expect(drawGates({ ...coverage, share: 0.95 }, DEFAULT_GATES)[0]!.verdict).toBe('warn');
  });

  test.each([
    [0.01, ['pass', 'pass', 'pass']],
    [0.01 - STEP, ['warn', 'refuse', 'warn']],
  ])('labels that differ with p %f: %j', (pValue, verdicts) => {
    const balance = { of: 'judge score', test: 'rank-sum', pValue } as const;
    const gates = [
      labelBalanceGate(balance, 'calibration'),
      labelBalanceGate(balance, 'all responses'),
      pooledLabelsGate('p', pValue),
    ];
    expect(gates.map(({ verdict }) => verdict)).toEqual(verdicts);
  });

  test('the shift is told in standard errors', () => {
    expect(stabilisationGate(-0.04, 0.1, DEFAULT_GATES).value).toBeCloseTo(0.4, 12);
  });

  test.each([
    [0.15, 'pass'],
    [0.15 - STEP, 'warn'],
    [0.05, 'warn'],
    [0.05 - STEP, 'refuse'],
  ])('label support of %f: %s', (share, verdict) => {
    expect(labelSupportGate({ share, ...BLOCKS, ...SCORES, effective: 1, labels: 1 }, DEFAULT_GATES)).toMatchObject({
      value: share,
      verdict,
    });
  });

  test.each([
    [10, 'pass'],
    [10 - STEP, 'refuse'],
  ])('%f effective labels: %s', (effective, verdict) => {
    expect(effectiveLabelsGate(effective, DEFAULT_GATES.minimumOwnLabels)).toMatchObject({
      value: effective,
      threshold: 10,
      verdict,
    });
  });

  test.each<[GateCheck['gate'], object, GateCheck['verdict']]>([
    ['out-of-range', { outOfRange: 0.05 - STEP }, 'pass'],
    ['out-of-range', { outOfRange: 0.05 }, 'warn'],
    ['out-of-range', { outOfRange: 0.3 - STEP }, 'warn'],
    ['out-of-range', { outOfRange: 0.3 }, 'refuse'],
    ['identification-width', { partialIdentificationWidth: 0.1 - STEP }, 'pass'],
    ['identification-width', { partialIdentificationWidth: 0.1 }, 'refuse'],
    ['saturation', { saturation: 0.2 - STEP }, 'pass'],
    ['saturation', { saturation: 0.2 }, 'warn'],
    ['saturation', { saturation: 1 }, 'warn'],
  ])('%s %j: %s', (name, change, verdict) => {
    const card = {
      status: 'ok' as const,
      outOfRange: 0,
      saturation: 0,
      partialIdentificationWidth: 0,
      openBelow: 0,
      openAbove: 0,
      labelledScoreRange: [0, 1] as const,
      ...change,
    };
    expect(boundaryGates(card, DEFAULT_GATES).find(({ gate }) => gate === name)!.verdict).toBe(verdict);
  });

  test.each<[TransportAudit['state'], number | null, readonly GateCheck['verdict'][]]>([
    ['fail', 0.05, ['refuse']],
    ['pass', 0.05, ['pass']],
    ['inconclusive', 0.05, ['warn']],
    ['not-checked', 0.05, []],
    ['not-graded', null, []],
  ])('an audit that says %s with margin %s: %j', (state, margin, verdicts) => {
    const audit = { ...auditTransport([0.5], [0.4], ['a'], { margin, alpha: 0.05, audits: 1 }), state, bias: 0.1 };
    const gates = transportGates(audit);
    expect(gates.map(({ verdict }) => verdict)).toEqual(verdicts);
    for (const gate of gates) expect(gate).toMatchObject({ value: 0.1, threshold: 0.05 });
  });

  test('a policy without a label is warned of; its error is open unless the log’s labels contradict the calibration', () => {
    const audit = (state: TransportAudit['state'], smallestPassingMargin: number | null) => ({
      ...auditTransport([0.5], [0.4], ['a'], { margin: 0.05, alpha: 0.05, audits: 1 }),
      state,
      smallestPassingMargin,
    });
    const open = unauditedGate(audit('inconclusive', 0.2), 0.05);
    expect(open).toMatchObject({ verdict: 'warn', value: 0.2, threshold: 0.05, open: true });
    expect(open.note).toContain('leave open');
    const contradicted = unauditedGate(audit('fail', 0.2), 0.05);
    expect(contradicted).toMatchObject({ verdict: 'warn', value: 0.2 });
    expect(contradicted).not.toHaveProperty('open');
    expect(contradicted.note).toContain('say that the calibration is off');
    for (const nothing of [null, audit('fail', null), audit('fail', Number.POSITIVE_INFINITY)]) {
      expect(unauditedGate(nothing, 0.05)).toMatchObject({ verdict: 'warn', value: null, open: true });
    }
  });

  const INSTEAD = { draws: 'direct', ownLabels: 'direct-augmented', plainWeights: 'ips', doublyRobust: 'dr-cpo' };
  test('the first gate that refuses words the refusal; a warning refuses nothing', () => {
    const warn: GateCheck = { gate: 'saturation', on: 'scores', value: 0.5, threshold: 0.2, verdict: 'warn' };
    const low: GateCheck = { gate: 'ess', on: 'raw', value: 7.5, threshold: 20, verdict: 'refuse' };
    const heavy: GateCheck = { gate: 'tail-index', on: 'in-use', value: null, threshold: 1, verdict: 'refuse' };
    expect(refusalOf([warn], INSTEAD)).toBeNull();
    const first = refusalOf([warn, low, heavy], INSTEAD)!;
    expect(first.code).toBe('low-effective-sample-size');
    expect(first.message).toBe('ess (raw) is 7.50: the raw weights leave fewer effective rows than 20');
    expect(refusalOf([heavy], INSTEAD)).toMatchObject({
      code: 'heavy-tail',
      message: 'tail-index (in-use) is not computable: the tail index of the weights is below 1',
    });
  });
});

test('labels that keep away from an end leave their gate open, but for own labels fewer than twenty', () => {
  const openOf = (kind: 'calibration' | 'correction', count: number) =>
    unseenLabelsGate(0.1, 0.05, { kind, count, below: 0.5, above: 0.1 }).open;
  expect([openOf('correction', 19), openOf('correction', 20)]).toEqual([undefined, true]);
  // A calibration is shared, and its differences with it.
  expect([openOf('calibration', 5), openOf('calibration', 19)]).toEqual([true, true]);
});

describe('the boundary card', () => {
  // Labels between scores 0.2 and 0.8, rewards from 0.1 to 0.9: the ends' 5 % are up to 0.14 and from 0.86.
  const calibration = { labelledScoreRange: [0.2, 0.8], rewardRange: [0.1, 0.9] } as const;
  const limits = { outOfRange: 0.05, saturation: 0.2 };

  test('by hand: shares outside, at the ends, and the width that they leave open', () => {
    const scores = [0.1, 0.2, 0.8, 0.85, 0.9, 0.5, 0.5, 0.5, 0.5, 0.5];
    const rewards = [0.1, 0.13, 0.87, 0.9, 0.9, 0.15, 0.85, 0.5, 0.5, 0.5];
    const card = boundaryCard(scores, rewards, calibration, limits);
    // One below and two above of ten; the five first at the ends; 0.1 · 0.1 + 0.2 · (1 − 0.9).
    expect(card.outOfRange).toBeCloseTo(0.3, 14);
    expect(card.saturation).toBeCloseTo(0.5, 14);
    expect(card.partialIdentificationWidth).toBeCloseTo(0.03, 14);
    expect(card.status).toBe('refuse-level');
    expect(card.labelledScoreRange).toEqual([0.2, 0.8]);
  });

  test('weights count, and sides are not the same: below leaves the lowest reward open, above 1 − the highest', () => {
    const low = { labelledScoreRange: [0.2, 0.8], rewardRange: [0.4, 0.9] } as const;
    const card = boundaryCard([0.1, 0.9, 0.5], [0.4, 0.9, 0.6], low, limits, [1, 2, 5]);
    expect(card.partialIdentificationWidth).toBeCloseTo((1 / 8) * 0.4 + (2 / 8) * 0.1, 14);
    expect(card.saturation).toBeCloseTo(3 / 8, 14);
  });

  test.each([
    [[0.5, 0.5], 'ok'],
    [[0.13, 0.5], 'caution'],
  ] as const)('with all scores in range, rewards %j: %s', (rewards, status) => {
    expect(boundaryCard([0.4, 0.5], rewards, calibration, limits).status).toBe(status);
  });

  test('the limits themselves count', () => {
    // Rewards from 0 to 20: the ends' 5 % are up to 1 and from 19, both exact.
    const whole = { labelledScoreRange: [0.2, 0.8], rewardRange: [0, 20] } as const;
    expect(boundaryCard([0.5, 0.5, 0.5, 0.5], [1, 19, 1.01, 18.99], whole, limits).saturation).toBe(0.5);
    const at = boundaryCard([0.1, 0.5, 0.5, 0.5], [0.5, 0.5, 0.5, 0.5], calibration, {
      outOfRange: 0.25,
      saturation: 0.2,
    });
    expect(at.status).toBe('refuse-level');
    const ends = boundaryCard([0.5, 0.5, 0.5, 0.5], [0.1, 0.5, 0.5, 0.5], calibration, {
      outOfRange: 0.3,
      saturation: 0.25,
    });
    expect(ends.status).toBe('caution');
    expect(boundaryCard([], [], calibration, limits)).toMatchObject({
      outOfRange: 0,
      saturation: 0,
      partialIdentificationWidth: 0,
    });
  });
});

describe('the transport audit, at its margin', () => {
  const audit = (prompts: number, biases: (i: number) => number, margin: number, more: object = {}) =>
    auditTransport(
      Float64Array.from({ length: prompts }, (_, i) => 0.5 + biases(i)),
      new Float64Array(prompts).fill(0.5),
      Array.from({ length: prompts }, (_, i) => `p${i}`),
      { margin, alpha: 0.05, audits: 1, ...more },
    );
  // Four prompts, biases 0 and 0.2 in turn: mean 0.1, SE² = 4/3 · 4 · 0.01/16 = 1/300, t on 3 is 3.182446.
  const half = 3.182446305 / Math.sqrt(300);

  test('by hand: interval on the effective prompts less one, and the bias that 80 % power finds', () => {
    const four = audit(4, (i) => (i % 2) * 0.2, 0.05);
    expect(four.bias).toBeCloseTo(0.1, 12);
    expect(four.standardError).toBeCloseTo(1 / Math.sqrt(300), 12);
    expect(four.interval![0]).toBeCloseTo(0.1 - half, 9);
    expect(four.interval![1]).toBeCloseTo(0.1 + half, 9);
    expect(four.detectableBias).toBeCloseTo((3.182446305 + 0.841621234) / Math.sqrt(300), 8);
    expect(four.smallestPassingMargin).toBeCloseTo(0.1 + half, 9);
    const below = audit(4, (i) => (i % 2) * -0.2, 0.05);
    expect(below.bias).toBeCloseTo(-0.1, 12);
    expect(below.smallestPassingMargin).toBeCloseTo(0.1 + half, 9);
  });

  test('several audits share alpha: two at 5 % are held to 2.5 %', () => {
    const two = audit(4, (i) => (i % 2) * 0.2, 0.05, { audits: 2 });
    const one = audit(4, (i) => (i % 2) * 0.2, 0.05, { alpha: 0.025 });
    expect(two.interval).toEqual(one.interval);
    expect(two.interval![1]).toBeGreaterThan(0.1 + half + 0.01);
  });

  test('fails on either side only beyond the margin, passes only wholly inside and on 20 prompts', () => {
    const same = (bias: number) => () => bias;
    // Without spread the interval is the bias itself: 0.25 and the margin are exact in binary.
    expect(audit(20, same(0.25), 0.25).state).toBe('pass');
    expect(audit(20, same(-0.25), 0.25).state).toBe('pass');
    expect(audit(20, same(0.25), 0.125).state).toBe('fail');
    expect(audit(20, same(-0.25), 0.125).state).toBe('fail');
    expect(audit(19, same(0.125), 0.25).state).toBe('inconclusive');
    // 20 prompts, ±0.25 about 0: wider than 0.0625 on both sides.
    expect(audit(20, (i) => (i % 2 === 0 ? 0.25 : -0.25), 0.0625).state).toBe('inconclusive');
    // About 0.0625 with spread: only one end leaves the margin of 0.1.
    expect(audit(20, (i) => 0.0625 + (i % 2 === 0 ? 0.125 : -0.125), 0.1).state).toBe('inconclusive');
    expect(audit(20, (i) => -0.0625 + (i % 2 === 0 ? 0.125 : -0.125), 0.1).state).toBe('inconclusive');
  });

  test('unequal weights discount prompts: (Σω)²/Σω², and its whole number less one are the degrees of freedom', () => {
    // Weights 3, 1, 1, 1: 36/12 = 3 prompts, so two degrees of freedom. δ̂ = 0.
    const ids = ['a', 'b', 'c', 'd'];
    const weighted = auditTransport(
      [0.6, 0.4, 0.4, 0.4],
      [0.5, 0.5, 0.5, 0.5],
      ids,
      { margin: 1, alpha: 0.05, audits: 1 },
      [3, 1, 1, 1],
    );
    expect(weighted.effectivePrompts).toBeCloseTo(3, 12);
    expect(weighted.bias).toBeCloseTo(0, 12);
    // Σ (ωδ)² = 0.09 + 3 · 0.01 = 0.12: √(4/3 · 0.12)/6 = 0.4/6.
    expect(weighted.standardError).toBeCloseTo(0.4 / 6, 12);
    expect(weighted.interval![1]).toBeCloseTo((4.30265273 * 0.4) / 6, 7);
    expect(weighted.state).toBe('inconclusive');
  });
});

describe('what the published library flags', () => {
  const with_ = (change: Partial<WeightDiagnostics>) => ({ ...fine, ...change });

  test.each([
    [{ essFraction: 0.3 }, {}, []],
    [{ essFraction: 0.3 - STEP }, {}, ['ess-fraction']],
    [{}, { nearZeroShare: 0.85 }, []],
    [{}, { nearZeroShare: 0.85 + STEP }, ['near-zero-weights']],
    [{ nearZeroShare: 1 }, { essFraction: 0 }, []],
    [{ topFivePercentShare: 0.3 + STEP, coefficientOfVariation: 2 + STEP }, {}, ['concentration']],
    [{ topFivePercentShare: 0.3, coefficientOfVariation: 3 }, {}, []],
    [{ topFivePercentShare: 0.4, coefficientOfVariation: 2 }, {}, []],
  ] as const)('in use %j, raw %j: %j', (inUse, raw, flags) => {
    expect(reliabilityFlags(with_(inUse), with_(raw))).toEqual(flags);
  });
});

test('orthogonality by hand: mean residual ± 1.96 standard errors, the population’s', () => {
  // 0.1, 0.3, −0.1, 0.1: mean 0.1, Σ² = 0.08 over 4 rows and over 4 again.
  const half = 1.959963985 * Math.sqrt(0.08 / 16);
  const { score, standardError, interval, passes } = orthogonality(Float64Array.of(0.1, 0.3, -0.1, 0.1));
  expect(score).toBeCloseTo(0.1, 14);
  expect(standardError).toBeCloseTo(Math.sqrt(0.005), 14);
  expect(interval[0]).toBeCloseTo(0.1 - half, 8);
  expect(interval[1]).toBeCloseTo(0.1 + half, 8);
  expect(passes).toBe(true);
  expect(orthogonality(Float64Array.of(0.1, 0.2, 0.1, 0.2)).passes).toBe(false);
  expect(orthogonality(Float64Array.of(-0.1, -0.2, -0.1, -0.2)).passes).toBe(false);
});

describe('margins and probes', () => {
  test('a margin by policy, with one for the rest', () => {
    expect(marginOf(0.05, 'a')).toBe(0.05);
    expect(marginOf(null, 'a')).toBeNull();
    const margins = { default: 0.05, a: 0.1, b: null };
    expect(['a', 'b', 'c'].map((policy) => marginOf(margins, policy))).toEqual([0.1, null, 0.05]);
    expect(marginOf({ a: 0.1 }, 'constructor')).toBeNull();
  });

  test('how many labels a policy without bias needs to pass: ((1.960 + 1.282) s/δ)²', () => {
    // 152 residuals of ±0.19: spread 0.19 as near as 152/151, 152 labels at a margin of 0.05.
    const size = 152;
    const labels = Array.from({ length: size }, (_, i) => 0.5 + (i % 2 === 0 ? 0.19 : -0.19));
    const rewards = new Float64Array(size).fill(0.5);
    const ids = labels.map((_, i) => `q${i}`);
    const audit = (margin: number | null, audits = 1) =>
      auditTransport(labels, rewards, ids, { margin, alpha: 0.05, audits });
    const needed = Math.ceil(((1.959963985 + 1.281551566) * 0.19 * Math.sqrt(152 / 151)) ** 2 / 0.05 ** 2);
    expect(audit(0.05).labelsToPass).toBe(needed);
    expect(needed).toBeGreaterThanOrEqual(152);
    expect(needed).toBeLessThan(156);
    // Never fewer than the twenty that an audit asks for, more for several audits, and nothing without a margin.
    expect(audit(1).labelsToPass).toBe(20);
    expect(audit(0.05, 4).labelsToPass!).toBeGreaterThan(needed);
    expect(audit(null).labelsToPass).toBeNull();
    // Two labels a prompt, as there are: twenty prompts are forty of them.
    const twice = auditTransport([0.6, 0.5, 0.4, 0.6], [0.5, 0.5, 0.5, 0.5], ['a', 'a', 'b', 'b'], {
      margin: 10,
      alpha: 0.05,
      audits: 1,
    });
    expect(twice.labelsToPass).toBe(40);
  });
});
