/** Responses, log probabilities, scores and labels joined by prompt. */

import type { Input, Inputs } from '../core/kind.ts';
import type { FreshRow, LoggedRow } from './dataset-rows.ts';
import { LABELS, LOGPROBS, RESPONSES, SCORES } from './row-types.ts';
import { drawName, type GenerationCheck, type LogprobRow, type ResponseRow, type ScoreRow } from './rows.ts';
import { commonScale, type Scale, scaleField, sharedScale } from './scale.ts';

export interface Joined {
  readonly logged: readonly LoggedRow[];
  readonly fresh: readonly FreshRow[];
  /** Labelled responses that teach the calibration beside the log's. */
  readonly calibrationSet?: readonly FreshRow[];
  /** Labelled responses of target policies that nothing but the audit of the calibration reads. */
  readonly probe?: readonly FreshRow[];
  /** Target policies in the graph's order. */
  readonly targets: readonly string[];
  /** What labels were given on, without any what the judge scores on; absent for [0, 1]. */
  readonly scale?: Scale;
  /** Rows by status of each policy's log probabilities, the logger's included. */
  readonly logprobStatuses: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Policies whose log probabilities are not of the law that their responses were sampled by. */
  readonly tempered: ReadonlySet<string>;
  /** Policies whose log probabilities are of another law than their model's. */
  readonly asSampled?: ReadonlyMap<string, SampledLaw>;
  readonly scoreStatuses: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly responseStatuses: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Responses that ended at the token limit. */
  readonly truncated: ReadonlyMap<string, number>;
  /** Forced beside generated log probabilities, of each policy for which there are both. */
  readonly checks?: ReadonlyMap<string, readonly GenerationCheck[]>;
  /** What a pairwise judge said with each response first, and with it second; by policy, then prompt. */
  readonly orders?: ReadonlyMap<string, ReadonlyMap<string, readonly (readonly [number, number])[]>>;
  /** Further counts of rows that lack something, by what they lack. */
  readonly notes?: Readonly<Record<string, number>>;
}

/** A law, and the most that a row of it may be off, nats. */
interface SampledLaw {
  readonly temperature: number;
  readonly topP: number;
  readonly bound: number;
}

/** Nats of a response beyond which a value is no longer taken for that of its law. */
const TOO_WIDE = 0.1;

/** Nats that a whole response, and one of its tokens, may be apart. */
interface MostApart {
  readonly response: number;
  readonly token: number;
}
const ANY: MostApart = { response: Number.POSITIVE_INFINITY, token: Number.POSITIVE_INFINITY };

/**
 * Joins by prompt id and draw; a row that lacks something keeps its place with a null.
 *
 * @param logger null where nobody's answers are a log: all policies are then alike
 * @param mostApart nats by which forced log probabilities may be off those at generation; beyond them there is none.
 */
export function joinInputs(inputs: Inputs, logger: string | null, mostApart: MostApart = ANY): Joined {
  const responses = inputs.many('responses');
  const given = inputs.has('logprobs') ? inputs.many('logprobs') : new Map<string, Input>();
  const logprobs = new Map(
    [...given].map(([policy, input]) => [policy, [...input.rows(LOGPROBS)].map((row) => consistent(row, mostApart))]),
  );
  const scores = inputs.many('scores');
  const scales = new Set<Scale>();
  const labels = labelsOf(inputs, 'oracle', scales);
  const probes = labelsOf(inputs, 'probe', scales);
  const targets = [...responses.keys()].filter((policy) => policy !== logger);
  const logprobOf = new Map([...logprobs].map(([policy, rows]) => [policy, valuesOf(rows)]));
  const logged: LoggedRow[] = [];
  const fresh: FreshRow[] = [];
  const probe: FreshRow[] = [];
  const tempered = new Set<string>();
  const asSampled = lawsOf(logprobs);
  const scoreStatuses = new Map<string, Map<string, number>>();
  const responseStatuses = new Map<string, Map<string, number>>();
  const truncated = new Map<string, number>();
  const notes: Record<string, number> = {};
  const orders = new Map<string, ReadonlyMap<string, readonly (readonly [number, number])[]>>();
  const judged = new Map<string, Scale | undefined>();
  for (const [policy, input] of responses) {
    const scored = scoredOf(scores.get(policy)?.rows(SCORES) ?? []);
    for (const { scale } of scored.values()) judged.set(String(scale), scale);
    scoreStatuses.set(
      policy,
      countBy(scored.values(), (row) => row.status),
    );
    const ofPolicy = ordersOf(scored.values());
    if (ofPolicy.size > 0) orders.set(policy, ofPolicy);
    const repaired = [...scored.values()].filter((row) => row.repaired === true).length;
    if (repaired > 0) notes[`judge reply on ${policy} in the form asked for (repaired)`] = repaired;
    const statuses = new Map<string, number>();
    responseStatuses.set(policy, statuses);
    let cut = 0;
    let probedToo = 0;
    for (const row of input.rows(RESPONSES)) {
      statuses.set(row.status, (statuses.get(row.status) ?? 0) + 1);
      if (row.finish_reason === 'length') cut++;
      if (!isOfLaw(row, asSampled.get(policy))) tempered.add(policy);
      const score = scored.get(nameOf(row));
      const name = `${policy}\n${nameOf(row)}`;
      const probed = policy === logger ? undefined : probes.get(name);
      if (probed !== undefined && labels.has(name)) probedToo++;
      // A label that tests the calibration teaches and corrects nothing.
      const common = commonOf(row, score, probed === undefined ? labels.get(name) : undefined);
      if (policy !== logger) {
        const draw = { policy, ...common, ...(row.draw_index === undefined ? {} : { draw_index: row.draw_index }) };
        fresh.push(draw);
        if (probed !== undefined) probe.push({ ...draw, oracle_label: probed, part: 'probe' });
        continue;
      }
      const target_logprobs: Record<string, number | null> = {};
      for (const target of targets) target_logprobs[target] = logprobOf.get(target)?.get(row.prompt_id) ?? null;
      logged.push({ ...common, base_logprob: logprobOf.get(policy)?.get(row.prompt_id) ?? null, target_logprobs });
    }
    if (probedToo > 0) notes[`label on ${policy} to learn from, as it is the probe’s`] = probedToo;
    truncated.set(policy, cut);
  }
  const logprobStatuses = new Map([...logprobs].map(([policy, rows]) => [policy, countBy(rows, (row) => row.status)]));
  const checks = checksOf(logprobs, inputs);
  return {
    logged,
    fresh,
    ...(probe.length === 0 ? {} : { probe }),
    targets,
    // Where nobody has labelled, the judge is taken at its word, and told on its scale.
    ...scaleField(labels.size + probes.size + scales.size > 0 ? sharedScale(scales) : commonScale(judged.values())),
    logprobStatuses,
    tempered,
    ...(asSampled.size === 0 ? {} : { asSampled }),
    scoreStatuses,
    responseStatuses,
    truncated,
    notes,
    ...(orders.size === 0 ? {} : { orders }),
    ...(checks.size === 0 ? {} : { checks }),
  };
}

/** What every row has of an answer. */
const commonOf = (row: ResponseRow, score: ScoreRow | undefined, label: number | undefined) => ({
  prompt_id: row.prompt_id,
  judge_score: score?.score ?? null,
  judge_variance: score?.variance ?? null,
  oracle_label: label ?? null,
  response_words: row.response === null ? null : words(row.response),
});

const valuesOf = (rows: readonly LogprobRow[]): ReadonlyMap<string, number | null> =>
  new Map(rows.map((row) => [row.prompt_id, row.logprob]));

const scoredOf = (rows: Iterable<ScoreRow>): ReadonlyMap<string, ScoreRow> =>
  new Map(Array.from(rows, (row) => [nameOf(row), row]));

/** What a pairwise judge said in both orders, by prompt. Equal texts are a tie without anybody being asked. */
function ordersOf(rows: Iterable<ScoreRow>): ReadonlyMap<string, readonly (readonly [number, number])[]> {
  const orders = new Map<string, (readonly [number, number])[]>();
  for (const { prompt_id, orders: both, model } of rows) {
    if (both === undefined || model === null) continue;
    orders.set(prompt_id, [...(orders.get(prompt_id) ?? []), both]);
  }
  return orders;
}

/** The labels of an input by policy and response; none without it. */
function labelsOf(inputs: Inputs, input: 'oracle' | 'probe', scales: Set<Scale>): Map<string, number> {
  const labels = new Map<string, number>();
  for (const row of inputs.has(input) ? inputs.one(input).rows(LABELS) : []) {
    if (row.scale !== undefined) scales.add(row.scale);
    if (row.status === 'ok' && row.label !== null) labels.set(`${row.policy}\n${nameOf(row)}`, row.label);
  }
  return labels;
}

/** What a gate calls too far apart has no log probability, like any other row without one. */
function consistent(row: LogprobRow, { response, token }: MostApart): LogprobRow {
  const { check, logprob, as_sampled: asSampled } = row;
  if (check === undefined || logprob === null) return row;
  const isNear = Math.abs((asSampled?.raw ?? logprob) - check.generated) <= response && check.largest <= token;
  if (isNear) return row;
  return { ...row, status: 'inconsistent', logprob: null };
}

/** Of policies all of whose values are of one law. */
function lawsOf(logprobs: ReadonlyMap<string, readonly LogprobRow[]>): Map<string, SampledLaw> {
  const laws = new Map<string, SampledLaw>();
  for (const [policy, rows] of logprobs) {
    const usable = rows.filter(({ logprob }) => logprob !== null);
    const [first] = usable;
    if (first?.as_sampled === undefined) continue;
    const { temperature, top_p: topP } = first.as_sampled;
    const same = usable.every(({ as_sampled: law }) => law?.temperature === temperature && law.top_p === topP);
    const bound = Math.max(...usable.map(({ as_sampled: law }) => law?.bound ?? 0));
    if (same) laws.set(policy, { temperature, topP, bound });
  }
  return laws;
}

/** Whether a response was sampled by the law that its policy's values are of. */
function isOfLaw(
  row: { readonly temperature: number; readonly top_p: number },
  { temperature, topP, bound }: SampledLaw = { temperature: 1, topP: 1, bound: 0 },
): boolean {
  return row.temperature === temperature && row.top_p === topP && bound <= TOO_WIDE;
}

/** The log's own rows, and those of a stage that forces each policy's own answers. */
function checksOf(
  logprobs: ReadonlyMap<string, readonly LogprobRow[]>,
  inputs: Inputs,
): Map<string, readonly GenerationCheck[]> {
  const own = inputs.has('consistency') ? inputs.many('consistency') : new Map<string, never>();
  const checks = new Map<string, readonly GenerationCheck[]>();
  for (const policy of new Set([...logprobs.keys(), ...own.keys()])) {
    const rows = [...(logprobs.get(policy) ?? []), ...(own.get(policy)?.rows(LOGPROBS) ?? [])];
    const found = rows.flatMap(({ check }) => check ?? []);
    if (found.length > 0) checks.set(policy, found);
  }
  return checks;
}

const nameOf = (row: { readonly prompt_id: string; readonly draw_index?: number }): string =>
  drawName(row.prompt_id, row.draw_index);

export const words = (text: string): number => text.split(/\s+/u).filter((word) => word !== '').length;

export function countBy<T>(rows: Iterable<T>, by: (row: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const row of rows) counts.set(by(row), (counts.get(by(row)) ?? 0) + 1);
  return counts;
}
