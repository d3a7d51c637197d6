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
  const groups = new Groups<Omit<RefusedCell, 'ablations'>>();
  for (const row of rows) {
    if (row.status !== 'refused') continue;
    const { policy, gate, reason, collect } = row;
    groups.add(row, { policy, gate, reason, collect }, [policy, gate, collect]);
  }
  return groups.all();
}

/** What is told of several cells, once with all of them; by what it says, in the words of the first. */
class Groups<T> {
  readonly #groups = new Map<string, T & { ablations: Cell[] }>();

  add({ scorer, ablation }: Cell, told: T, by: unknown): void {
    const key = JSON.stringify(by);
    const group = this.#groups.get(key) ?? { ...told, ablations: [] };
    this.#groups.set(key, group);
    group.ablations.push({ scorer, ablation });
  }

  all = () => [...this.#groups.values()];
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

/** What warns about a policy's estimates, in the words that several cells have in common: values are of those that it names. */
interface PolicyWarning extends EstimateWarning {
  readonly policy: string;
  readonly ablations: RefusedCell['ablations'];
}

export function warningsOf(rows: readonly EstimateRow[]): PolicyWarning[] {
  const groups = new Groups<Omit<PolicyWarning, 'ablations'>>();
  for (const row of rows) {
    if (row.status !== 'ok') continue;
    const { policy } = row;
    for (const told of row.warnings) groups.add(row, { policy, ...told }, [policy, told]);
  }
  return groups.all();
}

/** The warnings that belong on the first screen: that what every interval takes for granted does not hold of the data, each told once, and first those on what leads. */
export function noticesOf(rows: readonly EstimateRow[], leading?: Cell) {
  const notices = new Map<string, Set<string>>();
  const leads = leading === undefined ? [] : rows.filter(isOf(leading));
  for (const { policy, gate, open, text } of warningsOf([...leads, ...rows])) {
    if (!open && ASSUMPTION_GATES.has(gate ?? '')) notices.set(text, (notices.get(text) ?? new Set()).add(policy));
  }
  return [...notices].map(([text, policies]) => ({ text, policies: [...policies] }));
}

/**
 * The other warnings, but for what is taken for granted and nothing contradicts: those of a ranking's own estimates, and those of the rest.
 * A gate is told once a policy, in the words of the first: one screen has no room for what it reads in each estimate.
 */
export function otherWarnings(rows: readonly EstimateRow[], leading: Cell) {
  const others = warningsOf(rows).filter(({ gate, open }) => !ASSUMPTION_GATES.has(gate ?? '') && !open);
  const isLike = (a: PolicyWarning) => (b: PolicyWarning) =>
    a.policy === b.policy && (a.gate ?? a.text) === (b.gate ?? b.text);
  const firstOf = (of: readonly PolicyWarning[]) => of.filter((told, i) => of.findIndex(isLike(told)) === i);
  const own = firstOf(others.filter(({ ablations }) => ablations.some(isOf(leading))));
  return { own, rest: firstOf(others).filter((told) => !own.some(isLike(told))) };
}

/** What belongs on the first screen beside the ranking: assumptions that do not hold, models that were not asked, and odd bills. */
export function warningLines(data: ReportData, leading: Cell): string[] {
  return [
    ...[...servedLines(data), ...usageLines(data)].map(({ node, text }) => `${node}: ${text}`),
    ...noticesOf(data.estimates, leading).map(({ text, policies }) => `${policies.join(', ')}: ${text}`),
  ];
}
