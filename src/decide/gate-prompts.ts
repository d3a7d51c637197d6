/** What the nodes of a gate hold, as prompts in the order in which they are taken. */

import type { Input } from '../core/kind.ts';
import { ProblemError } from '../core/problem.ts';
import { labelledNames } from '../datasets/label-sample.ts';
import { LABELS, RESPONSES, SCORES } from '../datasets/row-types.ts';
import { drawName, type LabelRow } from '../datasets/rows.ts';
import { takenInOrder } from '../datasets/sample.ts';
import { type Scale, sharedScale } from '../datasets/scale.ts';
import type { GateAnswer, GatePrompt } from '../stats/index.ts';
import type { GatedPair, PairNodes } from './pair-graph.ts';

export interface GatePrompts {
  /** Prompts that have what is tested on both sides, in order. */
  readonly prompts: readonly GatePrompt[];
  /** Prompts that were asked and lack something on a side. */
  readonly missing: number;
  /** All that were taken, of the policy that has more. */
  readonly taken: number;
  readonly labels: Readonly<Record<keyof GatedPair, number>>;
  readonly scale: Scale | undefined;
}

type Read = (node: string) => Input;

/** @throws ProblemError where labels are not as many as their plan says */
export function gatePrompts(pair: GatedPair, nodes: PairNodes, read: Read): GatePrompts {
  const labels = labelsOf(nodes, read);
  const sideOf = (side: keyof GatedPair) => readSide(pair[side], side, nodes, labels.rows, read);
  const sides = { candidate: sideOf('candidate'), baseline: sideOf('baseline') };
  const order = takenInOrder([...sides.candidate.answers.keys(), ...sides.baseline.answers.keys()]);
  // Where the two have not the same prompts, the last ones of the one are still to come of the other.
  while (order.length > 0 && !Object.values(sides).every(({ answers }) => answers.has(order.at(-1)!))) order.pop();
  const prompts: GatePrompt[] = [];
  for (const id of order) {
    const [candidate, baseline] = [sides.candidate.answers.get(id) ?? [], sides.baseline.answers.get(id) ?? []];
    if (candidate.length > 0 && baseline.length > 0) prompts.push({ candidate, baseline });
  }
  if (nodes.labels !== undefined) {
    for (const side of ['candidate', 'baseline'] as const)
      checkLabels(pair[side], nodes.labels.propensities[side], sides[side]);
  }
  return {
    prompts,
    missing: order.length - prompts.length,
    taken: Math.max(sides.candidate.answers.size, sides.baseline.answers.size),
    labels: { candidate: sides.candidate.labels, baseline: sides.baseline.labels },
    scale: labels.scale,
  };
}

interface Side {
  /** By prompt; none for a prompt that lacks something. */
  readonly answers: ReadonlyMap<string, readonly GateAnswer[]>;
  /** Answers that could have a label, and those that have one. */
  readonly labellable: number;
  readonly labels: number;
}

function readSide(
  policy: string,
  side: keyof GatedPair,
  { responses, scores, labels: plan }: PairNodes,
  labels: ReadonlyMap<string, number | null>,
  read: Read,
): Side {
  const rows = [...read(responses[side]).rows(RESPONSES)];
  const scored = new Map<string, number>();
  for (const row of read(scores[side]).rows(SCORES)) {
    if (row.score !== null) scored.set(drawName(row.prompt_id, row.draw_index), row.score);
  }
  const chosen = plan?.asked === true ? labelledNames(policy, rows, plan.plan) : undefined;
  const certain = plan?.propensities[side] === 1;
  const answers = new Map<string, GateAnswer[]>();
  let [labellable, labelled] = [0, 0];
  for (const row of rows) {
    const of = answers.get(row.prompt_id) ?? [];
    answers.set(row.prompt_id, of);
    const name = drawName(row.prompt_id, row.draw_index);
    const score = scored.get(name);
    if (score === undefined) continue;
    // What people labelled beside the plan has no known probability.
    const label = chosen === undefined || chosen.has(name) ? labels.get(`${policy}\n${name}`) : undefined;
    // A label that was due and did not come is missing, and not one that was not asked for.
    if (label === null || (label === undefined && certain)) continue;
    labellable++;
    if (label !== undefined) labelled++;
    of.push({ score, label });
  }
  return { answers, labellable, labels: labelled };
}

/** Null for a label that was asked for in vain. */
function labelsOf({ labels }: PairNodes, read: Read) {
  const rows = new Map<string, number | null>();
  if (labels === undefined) return { rows, scale: undefined };
  const all: LabelRow[] = [...read(labels.node).rows(LABELS)];
  for (const row of all) {
    rows.set(`${row.policy}\n${drawName(row.prompt_id, row.draw_index)}`, row.status === 'ok' ? row.label : null);
  }
  return { rows, scale: sharedScale(all.map((row) => row.scale)) };
}

/** Standard deviations by which the number of labels may be off its expectation. */
const FAR_OFF = 4;

function checkLabels(policy: string, propensity: number, { labellable, labels }: Side): void {
  const expected = labellable * propensity;
  const spread = Math.sqrt(expected * (1 - propensity));
  if (Math.abs(labels - expected) <= FAR_OFF * spread + 1) return;
  throw new ProblemError({
    id: 'CJE-GATE-LABELS',
    headline: `${labels} of ${labellable} answers of ${policy} have a label, where about ${Math.round(expected)} should`,
    hint: 'fill in the sheet of `cje export --format labels`, write as `share:` what is really labelled, or test the judge’s scale with --on judge',
  });
}
