/**
 * What was measured of each prompt: responses, log probabilities, scores and labels of every policy, lined up by prompt,
 * and whatever else a kind says that it measures. Which node holds what, its kind says; policies and judges are told apart
 * as the graph does: by what a node depends on, and by the name that the matrix gave it.
 */

import type { Measure } from '../../core/kind.ts';
import { ROWS, writes } from '../../core/kind.ts';
import type { BlobStore } from '../../core/storage.ts';
import { OK } from '../../core/summary.ts';
import { FRESH, QUALITY, TEXTS } from '../../datasets/dataset-rows.ts';
import type { DatasetQuality } from '../../datasets/results.ts';
import { DATASET, LABELS, LOGPROBS, PROMPTS, RESPONSES, SCORES } from '../../datasets/row-types.ts';
import { type Scale, sharedScale } from '../../datasets/scale.ts';
import { type Units, unitsOf } from '../../datasets/units.ts';
import { fileOf, type OpenNode, PresentNodes, suffixOf, textParam } from './open-node.ts';
import type { RowTable } from './row-table.ts';
import type { RowTables } from './row-tables.ts';
import { importedScale, paramScale, scoreScale } from './scales.ts';

/** Where a number of a prompt stands: in which row of which node. */
export interface Column {
  readonly node: OpenNode;
  readonly table: RowTable;
  /** The row of each prompt; -1 where the node has none. */
  readonly rows: Int32Array;
  /** The number of each prompt in the units that people read it in, NaN where there is none. */
  readonly values: Float64Array;
  /** What the rows' own numbers, on [0, 1], are in these units. */
  readonly units: Units;
}

export interface PolicyColumns {
  readonly policy: string;
  readonly response: Column | undefined;
  readonly logprob: Column | undefined;
  /** By judge. */
  readonly scores: ReadonlyMap<string, Column>;
  readonly label: Column | undefined;
}

/** What a kind measures that is neither log probability nor score nor label. */
interface OtherColumn extends Column {
  readonly measure: Measure;
  /** Undefined for a number of the prompt itself. */
  readonly policy: string | undefined;
}

type Curve = NonNullable<DatasetQuality['calibration']>['curve'];

export interface Measures {
  /** Prompts in the order of their source. */
  readonly ids: readonly string[];
  readonly indexOf: ReadonlyMap<string, number>;
  readonly policies: readonly PolicyColumns[];
  readonly others: readonly OtherColumn[];
  readonly scorers: readonly string[];
  readonly logger: string | undefined;
  /** By judge, where its dataset has a calibration: from its scores to labels, both in their units. */
  readonly calibration: ReadonlyMap<string, Curve>;
  /** Rows of each prompt whose status is not ok, over all nodes. */
  readonly failures: Uint16Array;
  /** Tables whose texts hold prompts and responses, one a node. */
  readonly texts: readonly RowTable[];
  /** Where each prompt's text is, where it is anywhere. */
  readonly prompt: Pick<Column, 'table' | 'rows'> | undefined;
}

/** Undefined where nothing that has prompts is there. */
export function measure(nodes: readonly OpenNode[], tables: RowTables, blobs: BlobStore): Measures | undefined {
  const present = new PresentNodes(nodes, tables, blobs);
  const qualities = qualitiesOf(present, blobs);
  const found = findNodes(present, qualities);
  const prompts = new Prompts(found, present);
  if (prompts.ids.length === 0) return undefined;
  const policies = policyNames(found, present).map((policy) => policyColumns(policy, found, prompts, present));
  const { responses } = found;
  const promptNode = found.prompts[0] ?? responses[0];
  const [imported] = found.imported.filter((node) => present.table(node, TEXTS) !== undefined);
  const textTables = (responses.length > 0 ? responses : found.prompts).map((node) => present.table(node)!);
  return {
    ids: prompts.ids,
    indexOf: prompts.indexOf,
    policies,
    others: otherColumns(prompts, present),
    scorers: [...new Set(policies.flatMap(({ scores }) => [...scores.keys()]))],
    logger: found.logger,
    calibration: calibrations(qualities, policies),
    failures: failuresOf(prompts, present),
    texts: imported === undefined ? textTables : [...textTables, present.table(imported, TEXTS)!],
    prompt:
      promptNode !== undefined ? prompts.column(promptNode) : imported && prompts.column(imported, '', { file: TEXTS }),
  };
}

/** The nodes by what they write, as far as their rows are there. */
interface FoundNodes {
  readonly prompts: readonly OpenNode[];
  readonly responses: readonly OpenNode[];
  readonly logprobs: readonly OpenNode[];
  readonly scores: readonly OpenNode[];
  readonly labels: readonly OpenNode[];
  readonly datasets: readonly OpenNode[];
  /** Datasets that came from files: their numbers stand in no other node. */
  readonly imported: readonly OpenNode[];
  readonly logger: string | undefined;
  /** That labels were given on, as far as the datasets say one. */
  readonly labelScale: Scale | undefined;
}

function findNodes(present: PresentNodes, qualities: readonly DatasetQuality[]): FoundNodes {
  const datasets = present.writing(DATASET);
  const scores = present.writing(SCORES);
  return {
    prompts: present.writing(PROMPTS),
    responses: present.writing(RESPONSES),
    logprobs: present.writing(LOGPROBS),
    scores,
    labels: present.writing(LABELS),
    datasets,
    imported: scores.length === 0 ? datasets.filter(({ definition }) => definition?.shape === 'source') : [],
    logger: datasets.map(({ params }) => textParam(params, 'logger')).find((name) => name !== undefined),
    labelScale: sharedScale(qualities.map(({ scale }) => scale)),
  };
}

/** The prompts of a build, and columns that are lined up by them. */
class Prompts {
  readonly ids: readonly string[];
  readonly indexOf: ReadonlyMap<string, number>;
  readonly #present: PresentNodes;

  constructor({ prompts, responses, datasets, logger }: FoundNodes, present: PresentNodes) {
    this.#present = present;
    const base = prompts[0] ?? responses.find((node) => suffixOf(node) === logger) ?? responses[0] ?? datasets[0];
    const own = base === undefined ? [] : distinct(present.table(base)?.prompts ?? []);
    // A dataset without a log has the policies' own draws alone.
    this.ids = own.length > 0 || base === undefined ? own : distinct(present.table(base, FRESH)?.prompts ?? []);
    this.indexOf = new Map(this.ids.map((id, index) => [id, index]));
  }

  /**
   * @param policy takes the rows of this policy alone, where rows name one.
   * @param scale that people read the numbers on; absent: as they are
   */
  column(
    node: OpenNode,
    number = '',
    { policy, file = ROWS, scale }: { policy?: string | undefined; file?: string; scale?: Scale | undefined } = {},
  ): Column {
    const units = unitsOf(scale);
    const table = this.#present.table(node, file)!;
    const rows = new Int32Array(this.ids.length).fill(-1);
    const values = new Float64Array(this.ids.length).fill(Number.NaN);
    const numbers = table.numbers.get(number);
    for (let row = 0; row < table.length; row++) {
      if (policy !== undefined && table.policies[row] !== undefined && table.policies[row] !== policy) continue;
      const index = this.indexOf.get(table.prompts[row] ?? '');
      // Of several draws for a prompt the first is shown.
      if (index === undefined || rows[index] !== -1) continue;
      rows[index] = row;
      if (numbers !== undefined) values[index] = units.level(numbers[row]!);
    }
    return { node, table, rows, values, units };
  }
}

function policyNames({ logger, responses, logprobs, scores, labels, imported }: FoundNodes, present: PresentNodes) {
  const names = new Set<string>();
  if (logger !== undefined) names.add(logger);
  for (const node of responses) names.add(suffixOf(node));
  for (const node of logprobs) names.add(suffixOf(node));
  for (const node of scores) names.add(scoredPolicy(node, present));
  for (const node of labels) for (const policy of distinct(present.table(node)!.policies)) names.add(policy);
  for (const node of imported) for (const policy of importedPolicies(node, present)) names.add(policy);
  return [...names];
}

/** The policy whose responses a node of scores reads; else what the matrix filled in. */
const scoredPolicy = (node: OpenNode, present: PresentNodes): string => suffixOf(present.responder(node) ?? node);

/** As the dataset that reads the scores calls the judge; else what is left of the node's name without the policy. */
function scorerOf(node: OpenNode, present: PresentNodes): string {
  const datasets = present.nodes.filter(({ definition }) => writes(definition, DATASET));
  const readers = datasets.filter(({ inputs }) => inputs.some(({ node: name }) => name === node.name));
  const told = readers[0] === undefined ? undefined : textParam(readers[0].params, 'scorer');
  // A name that two datasets give to different judges says nothing.
  const alone = datasets.every((other) => readers.includes(other) || textParam(other.params, 'scorer') !== told);
  if (told !== undefined && alone) return told;
  const suffix = suffixOf(node);
  const policy = scoredPolicy(node, present);
  if (suffix.endsWith(`/${policy}`)) return suffix.slice(0, -policy.length - 1);
  return suffix === policy ? node.stage : suffix;
}

function policyColumns(policy: string, found: FoundNodes, prompts: Prompts, present: PresentNodes): PolicyColumns {
  const named = (node: OpenNode) => suffixOf(node) === policy;
  const [response, logprob] = [found.responses.find(named), found.logprobs.find(named)];
  const scores = new Map<string, Column>();
  for (const node of found.scores) {
    if (scoredPolicy(node, present) !== policy) continue;
    const scale = scoreScale(node, present.byName);
    scores.set(scorerOf(node, present), prompts.column(node, 'score', { scale }));
  }
  const [labels] = found.labels;
  let label = labels && prompts.column(labels, 'label', { policy, scale: found.labelScale ?? paramScale(labels) });
  let measured = logprob === undefined ? undefined : prompts.column(logprob, 'logprob');
  let answered = response === undefined ? undefined : prompts.column(response);
  for (const node of found.imported) {
    const own = policy === found.logger ? ROWS : FRESH;
    if (present.table(node, own) !== undefined) {
      const scorer = textParam(node.params, 'scorer') ?? 'judge';
      scores.set(scorer, prompts.column(node, 'judge_score', { policy, file: own, scale: importedScale(node) }));
      label ??= prompts.column(node, 'oracle_label', { policy, file: own, scale: found.labelScale });
    }
    if (present.table(node, TEXTS)?.policies.includes(policy) === true) {
      answered ??= prompts.column(node, '', { policy, file: TEXTS });
    }
    const number = policy === found.logger ? 'base_logprob' : `${TARGETS}${policy}`;
    if (present.table(node)?.numbers.has(number) === true) measured ??= prompts.column(node, number);
  }
  return {
    policy,
    response: answered,
    logprob: measured,
    scores,
    label,
  };
}

/** Columns of a dataset's log probabilities, by target policy. */
const TARGETS = 'target_logprobs.';

function importedPolicies(node: OpenNode, present: PresentNodes): string[] {
  const columns = [...(present.table(node)?.numbers.keys() ?? [])].filter((name) => name.startsWith(TARGETS));
  return [
    ...distinct(present.table(node, FRESH)?.policies ?? []),
    ...columns.map((name) => name.slice(TARGETS.length)),
  ];
}

/** Types whose numbers have places of their own, or are repeated from other nodes. */
const PLACED = [LOGPROBS, SCORES, LABELS, DATASET];

function otherColumns(prompts: Prompts, present: PresentNodes): OtherColumn[] {
  return present.nodes.flatMap((node) => {
    const { definition } = node;
    const table = present.table(node);
    if (table === undefined || PLACED.some((type) => writes(definition, type))) return [];
    const responder = present.responder(node);
    const policies = distinct(table.policies);
    const of = policies.length > 0 ? policies : [responder === undefined ? undefined : suffixOf(responder)];
    return (definition?.measures ?? []).flatMap((measured) =>
      of.map((policy) => ({ ...prompts.column(node, measured.column, { policy }), measure: measured, policy })),
    );
  });
}

function failuresOf({ ids, indexOf }: Prompts, present: PresentNodes): Uint16Array {
  const failures = new Uint16Array(ids.length);
  for (const node of present.nodes) {
    if (!node.asks) continue;
    const table = present.table(node);
    for (let row = 0; row < (table?.length ?? 0); row++) {
      const index = table!.statuses[row] === OK ? undefined : indexOf.get(table!.prompts[row] ?? '');
      if (index !== undefined) failures[index]!++;
    }
  }
  return failures;
}

function qualitiesOf(present: PresentNodes, blobs: BlobStore): DatasetQuality[] {
  return present.writing(DATASET).flatMap((node) => {
    const ref = fileOf(node, QUALITY);
    if (ref === undefined || blobs.locate(ref) === undefined) return [];
    return [JSON.parse(new TextDecoder().decode(blobs.read(ref))) as DatasetQuality];
  });
}

function calibrations(qualities: readonly DatasetQuality[], policies: readonly PolicyColumns[]): Map<string, Curve> {
  const curves = new Map<string, Curve>();
  for (const { scorer, calibration } of qualities) {
    if (calibration === null) continue;
    const units = policies.map(({ scores }) => scores.get(scorer)?.units).find((each) => each !== undefined);
    curves.set(
      scorer,
      calibration.curve.map(([score, reward]) => [units?.level(score) ?? score, reward] as const),
    );
  }
  return curves;
}

const distinct = (names: readonly (string | undefined)[]): string[] => [
  ...new Set(names.filter((name) => name !== undefined)),
];

/** The reward of a score; linear between the curve's breakpoints and flat beyond them. NaN without a curve. */
export function rewardOf(curve: Curve | undefined, score: number): number {
  const first = curve?.[0];
  if (curve === undefined || first === undefined || Number.isNaN(score)) return Number.NaN;
  if (score <= first[0]) return first[1];
  for (let index = 1; index < curve.length; index++) {
    const [x0, y0] = curve[index - 1]!;
    const [x1, y1] = curve[index]!;
    if (score > x1) continue;
    return x1 === x0 ? y1 : y0 + ((score - x0) / (x1 - x0)) * (y1 - y0);
  }
  return curve.at(-1)![1];
}
