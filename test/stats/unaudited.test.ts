import { describe, expect, test } from 'vitest';
import { ATTACKS, simulateAttack } from '../../bench/coverage/attacks.ts';
import { EQUATION_WORLDS, simulateEquations } from '../../bench/coverage/equations.ts';
import { type EstimatedPolicy, type EvaluationData, estimate } from '../../src/stats/index.ts';

describe('a policy without a label of its own', () => {
  const world = { ...EQUATION_WORLDS.CONT!, prompts: 200, policies: ['mod'] };
  const data = simulateEquations(world, 5);
  const transportOf = (of: EvaluationData, estimator: 'direct' | 'snips' | 'direct-augmented') =>
    estimate({ estimator }, of).policies[0]!.diagnostics.gates.filter(({ gate }) => gate === 'transport');

  test('is warned of, with what the log’s weighted labels leave open', () => {
    const [gate] = transportOf(data, 'direct');
    expect(gate).toMatchObject({ on: 'labels', verdict: 'warn', note: expect.stringContaining('leave open') });
    // By hand: the mean residual by weight, and its interval's further end.
    expect(transportOf(data, 'snips')).toEqual([gate]);
    expect(gate!.value).toBeGreaterThan(0.01);
    expect(gate!.value).toBeLessThan(0.15);
    const { targetLogprobs: _, ...rest } = data.logged;
    const [blind] = transportOf({ ...data, logged: { ...rest, targetLogprobs: new Map() } }, 'direct');
    expect(blind).toMatchObject({
      value: null,
      verdict: 'warn',
      note: expect.stringContaining('no label of its own says'),
    });
  });

  test('is told that the calibration is off where the weighted labels say so', () => {
    // What the policy does more of is good, and the judge does not see it.
    const ratios = data.logged.targetLogprobs.get('mod')!.map((l, i) => l - data.logged.baseLogprobs[i]!);
    const labels = data.logged.oracleLabels.map((y, i) => (Number.isNaN(y) ? y : ratios[i]! > 0.25 ? 1 : 0));
    const scores = data.logged.judgeScores.map((_, i) => (i % 10) / 9);
    const biased = { ...data.logged, oracleLabels: labels, judgeScores: scores };
    expect(transportOf({ ...data, logged: biased }, 'direct')[0]!.note).toContain('say that the calibration is off');
  });

  test('has no label that says whether its weights are right, where the log’s correct it by them', () => {
    const many = simulateEquations({ ...world, labels: 150, ownLabels: 0 }, 5);
    const gatesOf = (of: EvaluationData) =>
      estimate({ estimator: 'dr-labelled' }, of).policies.map(({ status, diagnostics }) => [
        status,
        diagnostics.gates.filter(({ gate, verdict }) => gate === 'transport' && verdict === 'warn'),
      ]);
    const note = 'no label of its own says whether its weights or the calibration hold for it';
    const named = [expect.objectContaining({ open: true, value: null, note })];
    expect(gatesOf({ ...many, logger: 'clone' })).toEqual([
      ['ok', named],
      ['ok', []],
    ]);
    // Own labels that are too few to correct anything say nothing; ten say how far it may be off.
    const ownLabels = (count: number) => gatesOf(simulateEquations({ ...world, labels: 150, ownLabels: count }, 5))[0]!;
    expect(ownLabels(9)).toEqual(['ok', named]);
    expect(ownLabels(10)).toEqual(['ok', [expect.objectContaining({ open: true, value: expect.any(Number) })]]);
  });

  test('is audited by its probe alone, which moves no estimate', () => {
    const draws = data.freshDraws.get('mod')!;
    const labels = draws.judgeScores.map((s, i) => (i < 60 ? Math.min(1, 0.4 + s) : Number.NaN));
    const probed = { ...data, probes: new Map([['mod', { ...draws, oracleLabels: labels }]]) };
    const [refused] = estimate({ estimator: 'direct' }, probed).policies;
    expect(refused).toMatchObject({ status: 'refused', code: 'transport-failed' });
    expect(refused!.diagnostics.transport).toMatchObject({ labels: 60, state: 'fail' });
    const open = { estimator: 'direct', gates: { transportMargin: null } } as const;
    const [before, after] = [data, probed].map((of) => estimate(open, of).policies[0]!);
    expect(after).toMatchObject({
      estimate: (before as EstimatedPolicy).estimate,
      interval: (before as EstimatedPolicy).interval,
    });
    expect(estimate({ estimator: 'direct-augmented' }, probed).policies[0]).toMatchObject({
      code: 'too-few-own-labels',
    });
  });

  test('a probe that is no random sample of the policy’s responses is named, and grades nothing', () => {
    const draws = data.freshDraws.get('mod')!;
    const order = Array.from(draws.judgeScores.keys()).sort((a, b) => draws.judgeScores[a]! - draws.judgeScores[b]!);
    const auditBy = (rows: ReadonlySet<number>) => {
      const labels = draws.judgeScores.map((s, i) => (rows.has(i) ? s : Number.NaN));
      const probed = { ...data, probes: new Map([['mod', { ...draws, oracleLabels: labels }]]) };
      const { transport, gates } = estimate({ estimator: 'direct' }, probed).policies[0]!.diagnostics;
      return {
        state: transport!.state,
        gate: gates.find(({ gate, note }) => gate === 'label-balance' && note?.startsWith('the probe’s')),
      };
    };
    const lowest = auditBy(new Set(order.slice(0, 60)));
    expect(lowest).toMatchObject({ state: 'not-graded', gate: { verdict: 'warn' } });
    // Every eighth by score is as random as can be.
    const spread = auditBy(new Set(order.filter((_, i) => i % 8 === 3)));
    expect(spread.gate).toMatchObject({ verdict: 'pass' });
    expect(spread.state).not.toBe('not-graded');
  });
});

describe('one calibration on the labels of all policies', () => {
  const gatesOf = (name: string, seed: number) => {
    const { policies } = estimate({ estimator: 'direct' }, simulateAttack(ATTACKS[name]!, seed));
    return policies.map(({ diagnostics: { gates } }) => gates.find(({ gate }) => gate === 'pooled-labels')!);
  };

  test('is named where a judge is kinder to one of them, on every policy: red where only that one is looked at', () => {
    for (const gate of gatesOf('NO-LOG-DRIFT', 3)) {
      expect(gate).toMatchObject({ verdict: 'warn', note: expect.stringContaining('labels on up differ') });
    }
  });

  test('is not where it judges all alike, nor where there is a log', () => {
    for (const gate of gatesOf('NO-LOG-2', 3)) expect(gate).toMatchObject({ verdict: 'pass' });
    expect(gatesOf('PLAIN', 3)).toEqual([undefined, undefined, undefined, undefined]);
  });
});
