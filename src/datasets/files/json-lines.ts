/** Rows of a JSON Lines file, or of one JSON array; a line that cannot be read is a fault, and the rest is read on. */

import { TextDecoder } from 'node:util';
import { isJsonObject } from '../../core/json.ts';
import { SourceError } from '../../core/kind.ts';
import { repeatedKey } from '../../core/repeated-key.ts';
import type { SourceRecord, Table } from './records.ts';
import type { Position, RowMistake } from './row-mistakes.ts';
import { decodeWhole } from './unpack.ts';

export function readJsonLines(bytes: Uint8Array, file: string): Table {
  const records: SourceRecord[] = [];
  const faults: RowMistake[] = [];
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let start = 0;
  let row = 0;
  for (let line = 1; start < bytes.length; line++) {
    const newline = bytes.indexOf(10, start);
    const end = newline === -1 ? bytes.length : newline;
    const piece = bytes.subarray(start, end);
    start = end + 1;
    const at: Position = { file, line, row };
    let text: string;
    try {
      text = decoder.decode(piece);
    } catch {
      faults.push({ at, category: 'not UTF-8 text', message: 'this line is not UTF-8 text' });
      row++;
      continue;
    }
    if (text.trim() === '') continue;
    row++;
    const value = parsePythonJson(text);
    const twice = value === undefined ? undefined : repeatedKey(text);
    if (value === undefined)
      faults.push({ at, category: 'broken JSON', message: `this line is not JSON${causeOf(text)}` });
    else if (twice !== undefined) faults.push({ at, category: KEY_TWICE, message: twiceText(twice.name) });
    else if (!isJsonObject(value)) {
      faults.push({ at, category: 'no JSON object', message: 'this line is not a JSON object' });
    } else records.push({ at, fields: value });
  }
  return { records, faults };
}

/** @throws SourceError when the file is no array of objects. */
export function readJsonArray(bytes: Uint8Array, file: string): Table {
  const text = decodeWhole(bytes);
  const values = parseWhole(text);
  if (!Array.isArray(values)) {
    throw new SourceError(`this is not JSON${causeOf(text)}`, {
      hint: 'The file begins like an array of objects; one object a line, without brackets, is read too.',
    });
  }
  return arrayTable(values, file);
}

export const KEY_TWICE = 'a key twice';

const twiceText = (name: string): string => `the key ${JSON.stringify(name)} stands here twice`;

/** What the mistake likely is, to go on after what it makes of the line; empty where nobody can tell. */
function causeOf(text: string): string {
  const line = text.trim();
  if (line.endsWith(',') && parsePythonJson(line.slice(0, -1)) !== undefined) return ': a comma stands behind it';
  if (/,\s*[}\]]/.test(line) && parsePythonJson(line.replace(/,(\s*[}\]])/g, '$1')) !== undefined) {
    return ': a comma stands before a closing bracket';
  }
  if (/^\{\s*'/.test(line))
    return ': keys and texts need double quotes (Python prints them otherwise; json.dumps does not)';
  if (line.startsWith('<')) return ': it looks like a web page, saved in the place of the data';
  if (line.includes('\0')) return ': it holds a NUL byte';
  return '';
}

/** A whole file that is one JSON value; undefined where it is none. @throws SourceError for a key that stands twice */
export function parseWhole(text: string): unknown {
  const value = parsePythonJson(text);
  const twice = value === undefined ? undefined : repeatedKey(text);
  if (twice === undefined) return value;
  throw new SourceError(twiceText(twice.name), {
    line: text.slice(0, twice.offset).split('\n').length,
    hint: 'Two values of one name cannot both be meant: remove or rename one.',
  });
}

/** Values of one JSON text as rows; they have no lines. */
export function arrayTable(values: readonly unknown[], file: string): Table {
  const records: SourceRecord[] = [];
  const faults: RowMistake[] = [];
  for (const [row, value] of values.entries()) {
    const at: Position = { file, line: undefined, row };
    if (isJsonObject(value)) records.push({ at, fields: value });
    else faults.push({ at, category: 'no JSON object', message: 'this entry is not a JSON object' });
  }
  return { records, faults };
}

const STRING_OR_WORD = /"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g;
/** Begins a text that stands for a number which JSON cannot hold; from the private use area, so no data has it. */
const TAG = '\ue0a7cje:';

/** JSON with the bare `NaN` and `Infinity` that Python writes, read as the numbers they are; undefined for anything else. */
export function parsePythonJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    if (!/NaN|Infinity/.test(text)) return undefined;
  }
  const tagged = text.replace(STRING_OR_WORD, (found) => (found.startsWith('"') ? found : `"${TAG}${found}"`));
  try {
    return JSON.parse(tagged, (_key, value: unknown) =>
      typeof value === 'string' && value.startsWith(TAG) ? Number(value.slice(TAG.length)) : value,
    );
  } catch {
    return undefined;
  }
}
