/** Refused cells and warnings, those with one cause told once. */

import type { EstimateRow, EstimateWarning } from '../../datasets/results.ts';
import { ASSUMPTION_GATES } from '../../stats/index.ts';
import type { ReportData } from './data.ts';
import { servedLines, usageLines } from './served.ts';

type Cell = Pick<EstimateRow, 'scorer' | 'ablation'>;
const isOf = (of: Cell) => (cell: Cell) => cell.scorer === of.scorer && cell.ablation === of.ablation;

/** A policy's estimates that one gate refused. */
interface RefusedCell {
  readonly policy: string;
  readonly gate: string;
  readonly reason: string;
  readonly collect: string;
  /** The refused ablations by scorer, in the rows' order. */
  readonly ablations: readonly { readonly scorer: string; readonly ablation: string }[];
}

/** Grouped by policy, gate and what to collect; the reason is the first cell's, as values in it differ by cell. */
export function refusalsOf(rows: readonly EstimateRow[]): RefusedCell[] {
  const groups = new Map<string, RefusedCell & { ablations: { scorer: string; ablation: string }[] }>();
  for (const row of rows) {
    if (row.status !== 'refused') continue;
    const { policy, gate, reason, collect, scorer, ablation } = row;
    const key = JSON.stringify([policy, gate, collect]);
    const group = groups.get(key) ?? { policy, gate, reason, collect, ablations: [] };
    group.ablations.push({ scorer, ablation });
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** The ablations of a refusal or a warning as words: `a, b; c (x)` where all scorers have `a` and `b`, and `x` alone has `c`. */
export function ablationsText(told: Pick<RefusedCell, 'ablations'>, scorers: readonly string[]): string {
  const byAblation = new Map<string, Set<string>>();
  for (const { scorer, ablation } of told.ablations) {
    byAblation.set(ablation, (byAblation.get(ablation) ?? new Set()).add(scorer));
  }
  const byScorers = new Map<string, string[]>();
  for (const [ablation, ofAblation] of byAblation) {
    const complete = ofAblation.size === scorers.length;
    const label = complete ? '' : [...ofAblation].join(', ');
    byScorers.set(label, [...(byScorers.get(label) ?? []), ablation]);
  }
  return [...byScorers].map(([label, names]) => names.join(', ') + (label === '' ? '' : ` (${label})`)).join('; ');
}

/** What warns about a policy's estimates, once a policy and gate; of several cells in the words of the first, as values may differ. */
interface PolicyWarning extends EstimateWarning {
  readonly policy: string;
  readonly ablations: RefusedCell['ablations'];
}

export function warningsOf(rows: readonly EstimateRow[]): PolicyWarning[] {
  const warnings = new Map<string, PolicyWarning & { ablations: { scorer: string; ablation: string }[] }>();
  for (const row of rows) {
    if (row.status !== 'ok') continue;
    const { policy, scorer, ablation } = row;
    for (const told of row.warnings) {
      const key = JSON.stringify([policy, told.gate ?? told.text, told.open]);
      const warning = warnings.get(key) ?? { policy, ...told, ablations: [] };
      warning.ablations.push({ scorer, ablation });
      warnings.set(key, warning);
    }
  }
  return [...warnings.values()];
}

/** A warning that what every interval takes for granted does not hold of the data. */
interface Notice {
  readonly text: string;
  readonly policies: readonly string[];
}

/** The warnings that belong on the first screen: those of the gates on assumptions, each told once, and first those on what leads. */
export function noticesOf(rows: readonly EstimateRow[], leading?: Cell): Notice[] {
  const notices = new Map<string, Set<string>>();
  for (const row of leading === undefined ? rows : [...rows.filter(isOf(leading)), ...rows]) {
    if (row.status !== 'ok') continue;
    for (const { gate, open, text } of row.warnings) {
      if (open || !ASSUMPTION_GATES.has(gate ?? '')) continue;
      notices.set(text, (notices.get(text) ?? new Set()).add(row.policy));
    }
  }
  return [...notices].map(([text, policies]) => ({ text, policies: [...policies] }));
}

/** The other warnings, but for what is taken for granted and nothing contradicts: those of a ranking's own estimates, in the words of these, and those of the rest. */
export function otherWarnings(
  rows: readonly EstimateRow[],
  leading: Cell,
): { readonly own: readonly PolicyWarning[]; readonly rest: readonly PolicyWarning[] } {
  const leads = isOf(leading);
  const others = (of: readonly EstimateRow[]) =>
    warningsOf(of).filter(({ gate, open }) => !ASSUMPTION_GATES.has(gate ?? '') && !open);
  return { own: others(rows.filter(leads)), rest: others(rows).filter(({ ablations }) => !ablations.some(leads)) };
}

/** What belongs on the first screen beside the ranking: assumptions that do not hold, models that were not asked, and odd bills. */
export function warningLines(data: ReportData, leading: Cell): string[] {
  return [
    ...[...servedLines(data), ...usageLines(data)].map(({ node, text }) => `${node}: ${text}`),
    ...noticesOf(data.estimates, leading).map(({ text, policies }) => `${policies.join(', ')}: ${text}`),
  ];
}
