import { take } from '../numeric/moments.ts';
import type { EvaluationData, FreshDraws, LoggedRows } from './data.ts';

const made = new WeakMap<EvaluationData, EvaluationData>();

/**
 * The same data with its rows by prompt, and those of one prompt by what they say: sums then have the same last bits
 * however the rows of a file stand, and nothing that is read from thousands of sums (a quantile of a nearly singular law)
 * enlarges the difference. Answers that will be refused for a value of theirs stay as they are, as the refusal numbers
 * them.
 */
export function inOwnOrder(data: EvaluationData): EvaluationData {
  const known = made.get(data);
  if (known !== undefined) return known;
  const { logged, freshDraws, calibrationSet, probes } = data;
  const each = (of: ReadonlyMap<string, FreshDraws>) =>
    new Map([...of].map(([policy, draws]) => [policy, drawsInOrder(draws)]));
  const ordered: EvaluationData = {
    ...data,
    logged: logInOrder(logged),
    freshDraws: each(freshDraws),
    ...(calibrationSet === undefined ? {} : { calibrationSet: drawsInOrder(calibrationSet) }),
    ...(probes === undefined ? {} : { probes: each(probes) }),
  };
  made.set(data, ordered);
  return ordered;
}

function logInOrder(log: LoggedRows): LoggedRows {
  const { promptIds, judgeScores, judgeVariances, oracleLabels, labelPropensities, responseLengths } = log;
  const { baseLogprobs, targetLogprobs } = log;
  const policies = [...targetLogprobs.keys()].sort();
  const targets = policies.map((policy) => targetLogprobs.get(policy)!);
  const columns = [judgeScores, oracleLabels, baseLogprobs, ...targets, judgeVariances, responseLengths];
  const order = orderOf(promptIds, labelPropensities === undefined ? columns : [...columns, labelPropensities]);
  return {
    promptIds: Array.from(order, (i) => promptIds[i]!),
    judgeScores: take(judgeScores, order),
    judgeVariances: take(judgeVariances, order),
    oracleLabels: take(oracleLabels, order),
    ...(labelPropensities === undefined ? {} : { labelPropensities: take(labelPropensities, order) }),
    baseLogprobs: take(baseLogprobs, order),
    responseLengths: take(responseLengths, order),
    targetLogprobs: new Map([...targetLogprobs].map(([policy, column]) => [policy, take(column, order)])),
  };
}

/** The number of a draw within its prompt may be that of its row, so it decides nothing. */
function drawsInOrder(draws: FreshDraws): FreshDraws {
  const { promptIds, drawIndexes, judgeScores, judgeVariances, oracleLabels, labelPropensities, responseLengths } =
    draws;
  if (!judgeScores.every(isOnScale) || oracleLabels.some((label) => !Number.isNaN(label) && !isOnScale(label))) {
    return draws;
  }
  const columns = [judgeScores, oracleLabels, judgeVariances, responseLengths];
  const order = orderOf(promptIds, labelPropensities === undefined ? columns : [...columns, labelPropensities]);
  return {
    promptIds: Array.from(order, (i) => promptIds[i]!),
    drawIndexes: drawIndexes.map((_, at) => drawIndexes[order[at]!]!),
    judgeScores: take(judgeScores, order),
    judgeVariances: take(judgeVariances, order),
    oracleLabels: take(oracleLabels, order),
    ...(labelPropensities === undefined ? {} : { labelPropensities: take(labelPropensities, order) }),
    responseLengths: take(responseLengths, order),
  };
}

const isOnScale = (value: number): boolean => value >= 0 && value <= 1;

/**
 * Row numbers by prompt id, then by the columns one after another, what is missing last; rows that are equal in all keep
 * their order.
 */
function orderOf(promptIds: readonly string[], columns: readonly Float64Array[]): Int32Array {
  return Int32Array.from(promptIds, (_, i) => i).sort((i, j) => {
    const [a, b] = [promptIds[i]!, promptIds[j]!];
    if (a !== b) return a < b ? -1 : 1;
    for (const column of columns) {
      const by = compared(column[i]!, column[j]!);
      if (by !== 0) return by;
    }
    return i - j;
  });
}

function compared(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}
