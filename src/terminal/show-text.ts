/** A node's output, or one item with what was asked and answered, for people. */

import type { JsonObject } from '../core/json.ts';
import { ROWS } from '../core/kind.ts';
import type { Action } from '../core/storage.ts';
import { completeItems } from '../core/summary.ts';
import type { ShownCall, ShownItem } from '../engine/explain/show.ts';
import { printable } from '../text/escape.ts';
import { dollars } from '../text/money.ts';
import { count } from '../text/numbers.ts';
import { counted } from '../text/plural.ts';

/** The first rows of a node, and the file that they stand in. */
interface FirstRows {
  readonly file: string;
  readonly rows: readonly JsonObject[];
}

export function nodeText(name: string, kind: string, action: Action, first: FirstRows, out: string): string {
  const { file: shown, rows } = first;
  const { summary, outputs, key, finishedAt } = action;
  const lines = [`${name} (${kind})`, `key    ${key}`, `made   ${new Date(finishedAt).toISOString()}`];
  if (summary.refusal !== undefined) lines.push(`refused: ${printable(summary.refusal)}`);
  if (summary.items > 0) {
    const statuses = Object.entries(summary.statuses).map(
      ([status, rowsOf]) => `${printable(status)} ${count(rowsOf)}`,
    );
    lines.push(`items  ${count(completeItems(summary))} of ${count(summary.items)} (${statuses.join(', ')})`);
  }
  for (const { model, calls, inputTokens, outputTokens } of summary.calls) {
    lines.push(
      `calls  ${count(calls)} to ${printable(model)}: ${count(inputTokens)} tokens in, ${count(outputTokens)} out`,
    );
  }
  for (const [file, { size }] of Object.entries(outputs))
    lines.push(`file   ${out}/${name}/${file} (${count(size)} bytes)`);
  if (rows.length > 0) {
    lines.push('', `first ${rows.length} rows${shown === ROWS ? '' : ` of ${shown}`}:`);
    for (const row of rows) lines.push(printable(JSON.stringify(row)));
  }
  return `${lines.join('\n')}\n`;
}

/** @param history also what was answered before a call was asked again. */
export function itemText(node: string, { item, row, calls, beside }: ShownItem, history = false): string {
  const lines = [`${printable(item)} of ${node}`];
  if (row === null) lines.push('not settled: a reply is missing');
  else lines.push('row', ...indented(row));
  for (const [file, rows] of Object.entries(beside)) {
    for (const each of rows) lines.push(file, ...rowLines(each));
  }
  for (const [index, call] of calls.entries())
    lines.push('', ...callLines(call, index, calls.length), ...historyLines(call, history));
  return `${lines.join('\n')}\n`;
}

function callLines(call: ShownCall, index: number, calls: number): string[] {
  const { key, identity, path, draw, raw, parsed, failure, failedAt, bought, texts, settings } = call;
  const lines = [`call ${index + 1} of ${calls}: ${path} of ${printable(identity)}`];
  lines.push(`draw ${printable(draw)}, key ${key}`, 'request', ...indented(settings));
  for (const { name, text } of texts) lines.push(printable(name), ...quoted(text));
  if (raw !== null) {
    lines.push('reply', ...indented(abridged(parse(raw))));
    if (failure === null) lines.push('read as', ...indented(abridged(parsed)));
  }
  if (failure !== null) {
    const when = failedAt === null ? '' : ` (${new Date(failedAt).toISOString()})`;
    lines.push(
      raw === null || failedAt !== null
        ? `failed for good${when}: ${printable(failure)}`
        : `could not be read: ${printable(failure)}`,
    );
  }
  if (bought !== null) {
    const { cost, boughtAt, model, usage, node, batch } = bought;
    const price = cost === null ? 'an unknown price' : dollars(cost);
    lines.push(
      `bought ${new Date(boughtAt).toISOString()} from ${printable(model)} for ${price}, by ${node}: ${count(usage.inputTokens)} tokens in, ${count(usage.outputTokens)} out${batch === undefined ? '' : `, in batch ${printable(batch)}`}`,
    );
  }
  if (raw === null && failure === null) lines.push('not bought yet');
  return lines;
}

function historyLines({ history }: ShownCall, shown: boolean): string[] {
  if (history.length === 0) return [];
  if (!shown) return [`asked again ${counted(history.length, 'time')}: --history shows what was answered before`];
  return history.flatMap(({ at, raw, failure, cost }) => [
    `superseded, of ${new Date(at).toISOString()}${cost === null ? '' : `, for ${dollars(cost)}`}`,
    ...(failure === null ? [] : [`no answer: ${printable(failure)}`]),
    ...(raw === null ? [] : indented(abridged(parse(raw)))),
  ]);
}

/** The texts of a row are set off, to be read. */
function rowLines(row: JsonObject): string[] {
  const texts = Object.entries(row).filter(
    (entry): entry is [string, string] => TEXTS_OF_ROWS.includes(entry[0]) && typeof entry[1] === 'string',
  );
  const rest = Object.fromEntries(Object.entries(row).filter(([name]) => !texts.some(([text]) => text === name)));
  return [...indented(rest), ...texts.flatMap(([name, text]) => [name, ...quoted(text)])];
}

const TEXTS_OF_ROWS: readonly string[] = ['prompt', 'response', 'rationale'];

/** A text line by line, each made safe and set off, so that it cannot pass for ours. */
const quoted = (text: string): string[] => text.split('\n').map((line) => `  │ ${printable(line)}`);

/** JSON over several lines; texts from models keep their escapes, so that no control character reaches the terminal. */
const indented = (value: unknown): string[] =>
  (JSON.stringify(value, null, 2) ?? 'null').split('\n').map((line) => `  ${printable(line)}`);

/** Longer lists than this are counted: log probabilities come by the thousand. */
const LONG_LIST = 12;

function abridged(value: unknown): unknown {
  if (Array.isArray(value)) {
    if (value.length <= LONG_LIST) return value.map(abridged);
    return [...value.slice(0, LONG_LIST / 2).map(abridged), `… ${value.length - LONG_LIST / 2} more (--json has them)`];
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, abridged(member)]));
}

function parse(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    return raw;
  }
}
