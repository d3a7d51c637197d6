/** A log of Inspect, the evaluation framework of the UK's AI Security Institute, as rows: one for each sample and epoch. */

import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { SourceError } from '../../core/kind.ts';
import { parsePythonJson } from './json-lines.ts';
import type { SourceRecord, Table } from './records.ts';
import { contentOf, saidIn } from './reply-text.ts';
import type { RowMistake } from './row-mistakes.ts';
import { decodeWhole } from './unpack.ts';
import { type ZipEntry, zipEntries } from './zip.ts';

/** Whether a whole JSON file is such a log: the run under `eval`, and the samples beside it. */
export const isInspectLog = (whole: JsonObject): boolean =>
  isJsonObject(whole.eval) && (Array.isArray(whole.samples) || ('plan' in whole && 'status' in whole));

/** @throws SourceError for a log that was written without its samples. */
export function inspectRows(whole: JsonObject, file: string): Table {
  const { samples } = whole;
  if (!Array.isArray(samples) || samples.length === 0) throw noSamples();
  return tableOf(
    samples.map((sample, row) => ({ sample, name: `sample ${row + 1}` })),
    modelOf(whole),
    file,
  );
}

const noSamples = () =>
  new SourceError('this Inspect log has no samples', {
    hint: 'It may be of a run that failed, or written with --no-log-samples: run the evaluation again.',
  });

const SAMPLE = /^samples\/.*\.json$/;
/** What says of which run it is; while that runs, the second alone is there. */
const HEADERS = ['header.json', '_journal/start.json'];

/**
 * An archive of Inspect's format `.eval`; undefined for any other ZIP.
 * @throws SourceError
 */
export async function readInspectArchive(bytes: Uint8Array, file: string): Promise<Table | undefined> {
  let entries: readonly ZipEntry[];
  try {
    entries = zipEntries(bytes);
  } catch (error) {
    // Under another name it is more likely a spreadsheet, and is told as one.
    if (/\.eval$/i.test(file)) throw error;
    return undefined;
  }
  const header = HEADERS.map((name) => entries.find((entry) => entry.name === name)).find(
    (entry) => entry !== undefined,
  );
  if (header === undefined) return undefined;
  const samples = entries.filter(({ name }) => SAMPLE.test(name));
  if (samples.length === 0) throw noSamples();
  const head = await jsonOf(header);
  const read: { sample: unknown; name: string }[] = [];
  for (const entry of samples) read.push({ sample: await jsonOf(entry), name: entry.name });
  // Samples are written as they end; their ids are in the order of the data set, where they are numbers.
  const inOrder = read.sort((a, b) => ORDER.compare(a.name, b.name));
  return tableOf(inOrder, isJsonObject(head) ? modelOf(head) : undefined, file);
}

const ORDER = new Intl.Collator('en', { numeric: true });

async function jsonOf(entry: ZipEntry): Promise<unknown> {
  const value = parsePythonJson(decodeWhole(await entry.read()));
  if (value === undefined) {
    throw new SourceError(`${JSON.stringify(entry.name)} in this Inspect log is not JSON`, {
      hint: 'Fetch the log again.',
    });
  }
  return value;
}

const modelOf = (log: JsonObject): string | undefined =>
  isJsonObject(log.eval) && typeof log.eval.model === 'string' ? log.eval.model : undefined;

function tableOf(
  samples: readonly { readonly sample: unknown; readonly name: string }[],
  model: string | undefined,
  file: string,
): Table {
  const records: SourceRecord[] = [];
  const faults: RowMistake[] = [];
  for (const [row, { sample, name }] of samples.entries()) {
    const at = { file, line: undefined, row };
    if (isJsonObject(sample)) records.push({ at, fields: rowOf(sample, model) });
    else faults.push({ at, category: 'no JSON object', message: `${name} is not a JSON object` });
  }
  return { records, faults, columns: [...new Set(records.flatMap(({ fields }) => Object.keys(fields)))] };
}

/** A sample under the names that rows have elsewhere. */
function rowOf(sample: JsonObject, model: string | undefined): JsonObject {
  const { input, target } = sample;
  const scores = scoresOf(sample);
  const [only, ...others] = scores;
  const response = responseOf(sample);
  const output = isJsonObject(sample.output) ? sample.output : {};
  return {
    prompt_id: sample.id ?? null,
    ...(typeof input === 'string' ? { prompt: input } : { messages: input ?? null }),
    ...(model === undefined ? {} : { policy: model }),
    response: response ?? null,
    // Epochs are counted from 1, draws from 0.
    ...(typeof sample.epoch === 'number' ? { draw_index: sample.epoch - 1 } : {}),
    ...(target === undefined ? {} : { target: Array.isArray(target) ? target.join('\n') : target }),
    ...(isJsonObject(sample.metadata) ? { metadata: sample.metadata } : {}),
    ...(typeof output.stop_reason === 'string' ? { stop_reason: output.stop_reason } : {}),
    scores: Object.fromEntries(scores.map(({ name, value }) => [name, value])),
    explanations: Object.fromEntries(
      scores.flatMap(({ name, explanation }) => (explanation === undefined ? [] : [[name, explanation]])),
    ),
    // Of several scorers nobody knows which is meant: `columns: {score: scores.NAME}` says it.
    ...(only === undefined || others.length > 0 || isJsonObject(only.value)
      ? {}
      : { score: only.value, judge_score: only.value, ...(only.explanation && { rationale: only.explanation }) }),
  };
}

/** What the model wrote at last. */
function responseOf({ output, messages }: JsonObject): string | undefined {
  if (isJsonObject(output)) {
    if (typeof output.completion === 'string' && output.completion !== '') return output.completion;
    const text = saidIn(output);
    if (text !== undefined && text !== null) return text;
  }
  const turns = Array.isArray(messages) ? messages.filter(isJsonObject) : [];
  const last = turns.findLast(({ role }) => role === 'assistant');
  return last && contentOf(last.content);
}

/** What one scorer said: a grade, or several under names. */
interface NamedScore {
  readonly name: string;
  readonly value: JsonObject[string];
  readonly explanation: string | undefined;
}

function scoresOf({ scores, score }: JsonObject): NamedScore[] {
  // Logs of the first version have one score without a name.
  const all = isJsonObject(scores) ? scores : isJsonObject(score) ? { score } : {};
  return Object.entries(all).flatMap(([name, each]) => {
    if (!isJsonObject(each)) return [];
    const explanation = typeof each.explanation === 'string' ? each.explanation : undefined;
    const { value = null } = each;
    const grades = isJsonObject(value)
      ? Object.fromEntries(Object.entries(value).map(([part, one]) => [part, gradeOf(one ?? null)]))
      : gradeOf(value);
    return [{ name, value: grades, explanation }];
  });
}

/** Inspect's words for grades: correct, partially correct, incorrect, no answer. */
const GRADES: Readonly<Record<string, number>> = { C: 1, P: 0.5, I: 0, N: 0 };

const gradeOf = (value: JsonObject[string]): JsonObject[string] =>
  typeof value === 'string' && Object.hasOwn(GRADES, value)
    ? GRADES[value]!
    : // A sample that was not scored.
      Number.isNaN(value)
      ? null
      : value;
