import { describe, expect, test } from 'vitest';
import { ATTACKS, simulateAttack } from '../../bench/coverage/attacks.ts';
import { unitsOf } from '../../src/datasets/units.ts';
import { warningText } from '../../src/datasets/warning-text.ts';
import { auditTransport, type TransportAudit } from '../../src/stats/gates/transport-audit.ts';
import {
  DEFAULT_GATES,
  type EstimatedPolicy,
  type EstimatorSettings,
  estimate,
  resolveConfig,
} from '../../src/stats/index.ts';
import { gatesByAudit } from '../../src/stats/own-labels.ts';
import { estimated as estimatedByHand } from './support/hand-made.ts';

type Name = EstimatorSettings['estimator'];
const kinder = simulateAttack({ ...ATTACKS.KINDER!, ownLabels: 300 }, 4);
const estimated = (estimator: Name, data = kinder) => estimate({ estimator }, data).policies as EstimatedPolicy[];
const gatesOf = (estimator: Name, data = kinder) =>
  estimated(estimator, data).map(({ diagnostics: { gates } }) => gates.find(({ gate }) => gate === 'own-labels'));

describe('an estimate held against own labels', () => {
  test('is off by what these would add to it', () => {
    const [direct, corrected] = [estimated('direct'), estimated('direct-augmented')];
    const up = gatesOf('direct')[1]!;
    expect(up.verdict).toBe('warn');
    expect(up.value).toBeCloseTo(corrected[1]!.estimate - direct[1]!.estimate, 12);
    // The judge is 0.03 kinder to it, and labels of others are no part of that.
    expect(up.value).toBeLessThan(-0.015);
    expect(warningText(up, DEFAULT_GATES, unitsOf([0, 10]))).toMatch(
      /^by own labels it is 0\.\d+ ± 0\.\d+ too high \(own-labels\)$/,
    );
  });

  test('whoever does not read them, weights or not', () => {
    for (const estimator of ['dr-cpo', 'snips', 'dr-labelled'] as const)
      expect(gatesOf(estimator)[1]!.verdict).toBe('warn');
    expect(gatesOf('direct-augmented')).toEqual([undefined, undefined, undefined, undefined]);
    expect(gatesOf('naive')[1]).toBeUndefined();
  });

  test('passes where the judge means the same on all, and still says what they leave open', () => {
    const plain = simulateAttack({ ...ATTACKS.PLAIN!, ownLabels: 100 }, 5);
    expect(gatesOf('dr-cpo', plain).map((gate) => gate?.verdict)).toEqual(['pass', 'pass', 'pass', undefined]);
    const [same] = estimated('dr-cpo', plain);
    const open = same!.diagnostics.gates.filter(({ gate }) => gate === 'transport');
    expect(open).toMatchObject([{ verdict: 'warn', on: 'labels', note: 'its own labels leave open that it is off' }]);
    // The further end of what they say of it, as by hand for the difference of two estimates on the same prompts.
    expect(open[0]!.value!).toBeGreaterThan(Math.abs(gatesOf('dr-cpo', plain)[0]!.value!));
  });

  test('labels on all of its answers are held against what the calibration does not know', () => {
    // The mean of all own labels has no calibration error, and the estimate that it is held against has.
    const all = simulateAttack({ ...ATTACKS.PLAIN!, policies: ['same', 'up'], labels: 40, ownLabels: 400 }, 3);
    const [same, up] = estimated('direct', all);
    for (const { diagnostics, components, policy } of [same!, up!]) {
      const gate = diagnostics.gates.find(({ gate }) => gate === 'own-labels')!;
      expect([policy, gate.verdict]).toEqual([policy, 'pass']);
      expect(gate.threshold!).toBeGreaterThan(2 * Math.sqrt(components.oracleVariance));
    }
  });

  test('a difference is named where neither level is off for certain', () => {
    const gates = gatesOf('direct', simulateAttack({ ...ATTACKS.KINDER!, ownLabels: 200 }, 3));
    expect(gates.map((gate) => [gate?.verdict, gate?.note])).toEqual([
      ['warn', 'its difference from up'],
      ['warn', 'its difference from same'],
      ['warn', 'its difference from up'],
      [undefined, undefined],
    ]);
    expect(warningText(gates[0]!, DEFAULT_GATES, unitsOf(undefined))).toMatch(
      /^by own labels its difference from \w+ is 0\.\d+ ± 0\.\d+ too low \(own-labels\)$/,
    );
  });

  test('a probe that passes says what it leaves open', () => {
    const { freshDraws, ...rest } = simulateAttack({ ...ATTACKS.PLAIN!, policies: ['same'], ownLabels: 300 }, 5);
    const own = freshDraws.get('same')!;
    const unlabelled = { ...own, oracleLabels: own.oracleLabels.map(() => Number.NaN) };
    const probed = { ...rest, freshDraws: new Map([['same', unlabelled]]), probes: new Map([['same', own]]) };
    const [same] = estimated('direct', probed);
    const { transport, gates } = same!.diagnostics;
    expect(transport).toMatchObject({ state: 'pass', labels: 300 });
    expect(gates.filter(({ gate }) => gate === 'transport')).toMatchObject([
      { verdict: 'warn', on: 'labels', value: transport!.smallestPassingMargin },
    ]);
  });

  test('is left alone where own labels are no random sample', () => {
    const chosen = simulateAttack({ ...ATTACKS.KINDER!, labelling: 'by-score', ownLabels: 100 }, 4);
    expect(gatesOf('direct', chosen)[1]).toBeUndefined();
  });
});

describe('what a passed audit leaves open', () => {
  // Half an interval is 0.03, and a third of that 0.01.
  const given = (open: number, more: Partial<TransportAudit> = {}, verdict: 'pass' | 'warn' = 'pass') => {
    const audit = auditTransport([0.5, 0.4], [0.5, 0.4], ['a', 'b'], { margin: 0.05, alpha: 0.05, audits: 1 });
    const passed = { gate: 'transport', on: 'labels', value: 0, threshold: 0.05, verdict } as const;
    const { diagnostics } = estimatedByHand('p', 0.5, [0]);
    const transport = { ...audit, state: 'pass' as const, smallestPassingMargin: open, ...more };
    const interval = [0.47, 0.53] as const;
    return estimatedByHand('p', 0.5, [0], { interval, diagnostics: { ...diagnostics, transport, gates: [passed] } });
  };
  const told = (of: EstimatedPolicy, transportMargin: number | null = 0.05) =>
    gatesByAudit(of, resolveConfig({ estimator: 'direct', gates: { transportMargin } })).map(({ verdict, value }) => [
      verdict,
      value,
    ]);

  test('is a warning where it is more than a third of half the interval', () => {
    expect(told(given(0.0099))).toEqual([['pass', 0]]);
    expect(told(given(0.0101))).toEqual([['warn', 0.0101]]);
  });

  test('is none without a margin, beside a warning, or where nothing passed', () => {
    expect(told(given(0.02), null)).toEqual([['pass', 0]]);
    expect(told(given(0.02, {}, 'warn'))).toEqual([['warn', 0]]);
    expect(told(given(0.02, { state: 'inconclusive' }))).toEqual([['pass', 0]]);
  });
});
