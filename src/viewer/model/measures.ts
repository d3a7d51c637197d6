/**
 * What was measured of each prompt: responses, log probabilities, scores and labels of every policy, lined up by prompt.
 * Policies and judges are told apart as the graph does: by what a node stands on, and by the name that the matrix gave it.
 */

import { ROWS } from '../../core/kind.ts';
import type { BlobStore, OutputRef } from '../../core/storage.ts';
import { OK } from '../../core/summary.ts';
import { FRESH, QUALITY } from '../../datasets/dataset-rows.ts';
import type { DatasetQuality } from '../../datasets/results.ts';
import { fileOf, inputNode, type OpenNode, suffixOf, textParam } from './open-node.ts';
import type { RowTable } from './row-table.ts';
import type { RowTables } from './row-tables.ts';

/** Where a number of a prompt stands: in which row of which node. */
export interface Column {
  readonly node: OpenNode;
  readonly table: RowTable;
  /** The row of each prompt; -1 where the node has none. */
  readonly rows: Int32Array;
  /** The number of each prompt, NaN where there is none. */
  readonly values: Float64Array;
}

export interface PolicyColumns {
  readonly policy: string;
  readonly response: Column | undefined;
  readonly logprob: Column | undefined;
  /** By judge. */
  readonly scores: ReadonlyMap<string, Column>;
  readonly label: Column | undefined;
}

type Curve = NonNullable<DatasetQuality['calibration']>['curve'];

export interface Measures {
  /** Prompts in the order of their source. */
  readonly ids: readonly string[];
  readonly indexOf: ReadonlyMap<string, number>;
  readonly policies: readonly PolicyColumns[];
  readonly scorers: readonly string[];
  readonly logger: string | undefined;
  /** By judge, where its dataset has a calibration. */
  readonly calibration: ReadonlyMap<string, Curve>;
  /** Rows of each prompt whose status is not ok, over all nodes. */
  readonly failures: Uint16Array;
  /** Tables whose texts hold prompts and responses, one a node. */
  readonly texts: readonly OutputRef[];
  /** Where each prompt's text is, where it is anywhere. */
  readonly prompt: Pick<Column, 'table' | 'rows'> | undefined;
}

export function measure(nodes: readonly OpenNode[], tables: RowTables, blobs: BlobStore): Measures | undefined {
  const tableOf = (node: OpenNode, file = ROWS): RowTable | undefined => {
    const ref = fileOf(node, file);
    return ref === undefined || blobs.locate(ref) === undefined ? undefined : tables.get(ref);
  };
  const ofKind = (kind: string) => nodes.filter((node) => node.kind === kind && tableOf(node) !== undefined);
  const [responses, logprobs, scores] = [ofKind('responses'), ofKind('logprobs'), ofKind('scores')];
  const [labels, datasets, prompts] = [
    ofKind('oracle'),
    [...ofKind('dataset'), ...ofKind('import')],
    ofKind('prompts'),
  ];
  const logger = datasets.map(({ params }) => textParam(params, 'logger')).find((name) => name !== undefined);

  const base = prompts[0] ?? responses.find((node) => suffixOf(node) === logger) ?? responses[0] ?? datasets[0];
  const baseTable = base === undefined ? undefined : tableOf(base);
  if (base === undefined || baseTable === undefined) return undefined;
  const ids = [...new Set(baseTable.prompts.filter((id) => id !== undefined))];
  if (ids.length === 0 && base.kind === 'import') ids.push(...freshPrompts(tableOf(base, FRESH)));
  if (ids.length === 0) return undefined;
  const indexOf = new Map(ids.map((id, index) => [id, index]));
  const column = (node: OpenNode, table: RowTable, number: string, policy?: string): Column => {
    const rows = new Int32Array(ids.length).fill(-1);
    const values = new Float64Array(ids.length).fill(Number.NaN);
    const numbers = table.numbers.get(number);
    for (let row = 0; row < table.length; row++) {
      if (policy !== undefined && table.policies[row] !== undefined && table.policies[row] !== policy) continue;
      const index = indexOf.get(table.prompts[row] ?? '');
      // Of several draws for a prompt the first is shown.
      if (index === undefined || rows[index] !== -1) continue;
      rows[index] = row;
      if (numbers !== undefined) values[index] = numbers[row]!;
    }
    return { node, table, rows, values };
  };

  const policyOf = (node: OpenNode): string => {
    const responder = nodes.find(({ name }) => name === inputNode(node, 'responses'));
    return responder === undefined || node.kind !== 'scores' ? suffixOf(node) : suffixOf(responder);
  };
  const scorerOf = (node: OpenNode): string => {
    const suffix = suffixOf(node);
    const policy = policyOf(node);
    if (suffix.endsWith(`/${policy}`)) return suffix.slice(0, -policy.length - 1);
    return suffix === policy ? node.stage : suffix;
  };
  const imported = scores.length === 0 ? datasets.filter(({ kind }) => kind === 'import') : [];
  const names = new Set<string>();
  if (logger !== undefined) names.add(logger);
  for (const node of responses) names.add(suffixOf(node));
  for (const node of logprobs) names.add(suffixOf(node));
  for (const node of scores) names.add(policyOf(node));
  for (const node of labels) for (const policy of tableOf(node)!.policies) if (policy !== undefined) names.add(policy);
  for (const node of imported) for (const policy of importedPolicies(node, tableOf)) names.add(policy);

  const policies = [...names].map((policy): PolicyColumns => {
    const named = (node: OpenNode) => suffixOf(node) === policy;
    const response = responses.find(named);
    const logprob = logprobs.find(named);
    const columns = new Map<string, Column>();
    for (const node of scores) {
      if (policyOf(node) === policy) columns.set(scorerOf(node), column(node, tableOf(node)!, 'score'));
    }
    let label = labels[0] === undefined ? undefined : column(labels[0], tableOf(labels[0])!, 'label', policy);
    let measured = logprob === undefined ? undefined : column(logprob, tableOf(logprob)!, 'logprob');
    for (const node of imported) {
      const own = policy === logger ? tableOf(node) : tableOf(node, FRESH);
      if (own !== undefined) {
        columns.set(textParam(node.params, 'scorer') ?? 'judge', column(node, own, 'judge_score', policy));
        label ??= column(node, own, 'oracle_label', policy);
      }
      const number = policy === logger ? 'base_logprob' : `target_logprobs.${policy}`;
      const log = tableOf(node);
      if (log?.numbers.has(number) === true) measured ??= column(node, log, number);
    }
    return {
      policy,
      response: response === undefined ? undefined : column(response, tableOf(response)!, ''),
      logprob: measured,
      scores: columns,
      label,
    };
  });

  const failures = new Uint16Array(ids.length);
  for (const node of nodes) {
    if (!node.asks) continue;
    const table = tableOf(node);
    for (let row = 0; row < (table?.length ?? 0); row++) {
      const index = table!.statuses[row] === OK ? undefined : indexOf.get(table!.prompts[row] ?? '');
      if (index !== undefined) failures[index]!++;
    }
  }
  const calibration = new Map<string, Curve>();
  for (const node of datasets) {
    const ref = fileOf(node, QUALITY);
    if (ref === undefined || blobs.locate(ref) === undefined) continue;
    const quality = JSON.parse(new TextDecoder().decode(blobs.read(ref))) as DatasetQuality;
    if (quality.calibration !== null) calibration.set(quality.scorer, quality.calibration.curve);
  }
  const withTexts = responses.length > 0 ? responses : prompts;
  const promptNode = prompts[0] ?? responses[0];
  return {
    ids,
    indexOf,
    policies,
    scorers: [...new Set(policies.flatMap(({ scores: columns }) => [...columns.keys()]))],
    logger,
    calibration,
    failures,
    texts: withTexts.map((node) => fileOf(node, ROWS)!),
    prompt: promptNode === undefined ? undefined : column(promptNode, tableOf(promptNode)!, ''),
  };
}

const freshPrompts = (table: RowTable | undefined): string[] => [
  ...new Set((table?.prompts ?? []).filter((id) => id !== undefined)),
];

function importedPolicies(
  node: OpenNode,
  tableOf: (node: OpenNode, file?: string) => RowTable | undefined,
): Set<string> {
  const policies = new Set<string>();
  for (const policy of tableOf(node, FRESH)?.policies ?? []) if (policy !== undefined) policies.add(policy);
  for (const name of tableOf(node)?.numbers.keys() ?? []) {
    if (name.startsWith('target_logprobs.')) policies.add(name.slice('target_logprobs.'.length));
  }
  return policies;
}

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
