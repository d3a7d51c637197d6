/** Coverage against the value that a gate reads, with this gate open and the others closed: where a threshold belongs. */

import { comparePolicies, type EstimatorSettings, estimate, type GateCheck } from '../../src/stats/index.ts';
import { EQUATION_WORLDS, type EquationSettings, equationValue, simulateEquations } from './equations.ts';
import type { Seeds } from './study.ts';

interface Threshold {
  readonly name: string;
  readonly settings: EstimatorSettings;
  readonly gate: GateCheck['gate'];
  /** Ends of the classes, the threshold among them. */
  readonly edges: readonly number[];
  readonly worlds: readonly (readonly [name: string, changes: Partial<EquationSettings>])[];
}

const FEW: Partial<EquationSettings>[] = [{ labels: 40 }, { labels: 60 }, { labels: 90 }];

export const THRESHOLDS: readonly Threshold[] = [
  {
    name: 'dr-labelled, effective labels (30)',
    settings: { estimator: 'dr-labelled', gates: { minimumWeightedLabels: 0 } },
    gate: 'effective-labels',
    edges: [10, 15, 20, 25, 30, 35, 40, 50, 70],
    worlds: ['CONT', 'BETA', 'NOISY', 'LIKERT'].flatMap((name) => FEW.map((changes) => [name, changes] as const)),
  },
  {
    name: 'ips, implied effective share (0.15)',
    settings: { estimator: 'ips', gates: { minimumEssFractionUnnormalised: 0 } },
    gate: 'implied-ess-fraction',
    edges: [0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5],
    worlds: ['CONT', 'BETA'].map((name) => [
      name,
      { policies: ['mod', 'far', 'edge125', 'edge15', 'edge175'] } as Partial<EquationSettings>,
    ]),
  },
];

interface Count {
  given: number;
  held: number;
}

/** A class's levels, and the differences whose smaller value lies in it. */
type Classes = readonly { readonly levels: Count; readonly pairs: Count }[];

export function thresholdClasses(of: Threshold, { first, count }: Seeds): Classes {
  const classes = of.edges.map(() => ({ levels: { given: 0, held: 0 }, pairs: { given: 0, held: 0 } }));
  const classOf = (value: number) => classes[of.edges.findLastIndex((edge) => value >= edge)];
  for (const [name, changes] of of.worlds) {
    const world = { ...EQUATION_WORLDS[name]!, ...changes };
    for (let seed = first; seed < first + count; seed++) {
      const result = estimate(of.settings, simulateEquations(world, seed));
      const ok = result.policies.filter((p) => p.status === 'ok');
      const gateValue = (p: (typeof ok)[number]) =>
        p.diagnostics.gates.find(({ gate }) => gate === of.gate)?.value ?? Number.NaN;
      const add = (count: Count | undefined, [low, high]: readonly [number, number], truth: number) => {
        if (count === undefined) return;
        count.given++;
        if (low <= truth && truth <= high) count.held++;
      };
      ok.forEach((a, i) => {
        add(classOf(gateValue(a))?.levels, a.interval, equationValue(world, a.policy));
        for (const b of ok.slice(i + 1)) {
          const truth = equationValue(world, a.policy) - equationValue(world, b.policy);
          const pair = comparePolicies(a, b, result.config);
          add(classOf(Math.min(gateValue(a), gateValue(b)))?.pairs, pair.interval, truth);
        }
      });
    }
  }
  return classes;
}

/** A table of the classes. */
export function thresholdTable(of: Threshold, classes: Classes): string {
  const share = ({ given, held }: Count) => (given === 0 ? '–' : `${((100 * held) / given).toFixed(1)} of ${given}`);
  const rows = classes.map(({ levels, pairs }, i) => {
    const to = of.edges[i + 1];
    return `| ${of.edges[i]}${to === undefined ? ' and more' : ` to ${to}`} | ${share(levels)} | ${share(pairs)} |`;
  });
  return [`| ${of.name} | levels held % | differences held % |`, '|---|---|---|', ...rows].join('\n');
}
