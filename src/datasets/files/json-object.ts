/** A file that is one JSON object: rows wrapped in a list, or one row that was written over several lines. */

import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { SourceError } from '../../core/kind.ts';
import { inspectRows, isInspectLog } from './inspect-log.ts';
import { arrayTable, parsePythonJson, parseWhole } from './json-lines.ts';
import type { Table } from './records.ts';
import { decodeWhole } from './unpack.ts';

const ONE_A_LINE = 'Write the rows one object a line, or as one list of objects.';

/** Fields of which each says that the object is a row itself, whatever lists it holds. */
const OF_A_ROW = ['prompt', 'prompt_id', 'messages', 'conversation', 'conversation_a', 'conversations', 'turns'].concat(
  ['instruction', 'question', 'response', 'policy', 'judge_score'],
);

/**
 * Undefined for JSON Lines: files whose first line is an object of its own, and others follow.
 * @throws SourceError where the object holds no rows that could be told from the rest of it.
 */
export function readJsonObject(bytes: Uint8Array, file: string): Table | undefined {
  const first = firstLine(bytes);
  const alone = first.end >= bytes.length;
  // A comma behind each line is a mistake of JSON Lines, and is told of the line.
  if (!alone && parsePythonJson(first.text.replace(/,$/, '')) !== undefined) return undefined;
  // What begins as an object and is none on its first line is JSON Lines with a mistake, unless the line only opens it.
  const opens = /^[{[\s]*("(?:[^"\\]|\\.)*"\s*:\s*[{[]?\s*)?$/.test(first.text) || /[{[,]\s*$/.test(first.text);
  if (!alone && !opens) return undefined;
  const whole = parseWhole(decodeWhole(bytes));
  if (!isJsonObject(whole)) {
    if (alone) return undefined;
    throw new SourceError('this is JSON over several lines, and the whole file is not one value', {
      hint: `Is it cut short, or are several indented objects in a row? ${ONE_A_LINE}`,
    });
  }
  if (isInspectLog(whole)) return inspectRows(whole, file);
  const rows = rowsOf(whole, alone);
  // One row on one line is JSON Lines, and has a line to be named by.
  return alone && rows[0] === whole ? undefined : arrayTable(rows, file);
}

/** The first line that is not empty, and where what is not blank behind it begins. */
function firstLine(bytes: Uint8Array): { readonly text: string; readonly end: number } {
  let start = 0;
  for (;;) {
    const newline = bytes.indexOf(10, start);
    const end = newline === -1 ? bytes.length : newline;
    // Only the shape of the line is asked for: bytes that are no text are told by whoever reads it.
    const text = new TextDecoder().decode(bytes.subarray(start, end)).trim();
    if (text !== '' || newline === -1) {
      const rest = bytes.subarray(end).findIndex((byte) => byte > 0x20);
      return { text, end: rest === -1 ? bytes.length : end + rest };
    }
    start = end + 1;
  }
}

function rowsOf(whole: JsonObject, oneLine: boolean): readonly unknown[] {
  if (OF_A_ROW.some((name) => Object.hasOwn(whole, name))) return [notColumns(whole)];
  const lists = Object.entries(whole).filter(([, value]) => isListOfRows(value));
  const [only, ...others] = lists;
  if (only !== undefined && others.length === 0) return only[1] as readonly unknown[];
  if (only === undefined) {
    if (oneLine) return [whole];
    const names = Object.keys(whole).slice(0, 8).join(', ');
    throw new SourceError('this is one JSON object over several lines, and no list of rows is in it', {
      hint: `It has ${names}. ${ONE_A_LINE}`,
    });
  }
  throw new SourceError(`this is one JSON object with ${lists.length} lists of rows`, {
    hint: `They are ${lists.map(([name]) => name).join(', ')}. Keep the one that is meant, in a file of its own.`,
  });
}

/** @throws SourceError for columns by name, `{"prompt": ["a", "b"], "id": [1, 2]}`, which would read as one row. */
function notColumns(whole: JsonObject): JsonObject {
  const values = Object.values(whole);
  const lengths = new Set(values.map((value) => (Array.isArray(value) ? value.length : -1)));
  const byIndex = values.length > 1 && values.every((value) => isJsonObject(value) && Object.hasOwn(value, '0'));
  if (byIndex || (values.length > 1 && lengths.size === 1 && !lengths.has(-1))) {
    throw new SourceError('this is one JSON object of columns, not of rows', {
      hint: "Write it by rows: with pandas to_json(…, orient='records', lines=True).",
    });
  }
  return whole;
}

/** Objects, and not the turns of one conversation. */
function isListOfRows(value: unknown): boolean {
  if (!Array.isArray(value) || value.length === 0 || !value.every(isJsonObject)) return false;
  const [first] = value as readonly JsonObject[];
  return !('role' in first!) && !('from' in first!);
}
