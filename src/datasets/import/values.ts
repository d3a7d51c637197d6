/** Cells as numbers: what a score, a label or a log probability may be, and what is wrong with one that is not. */

import type { Scale } from '../scale.ts';

export type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly category: string; readonly message: string };

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
/** As half of the world writes it; three digits behind another digit than 0 may be thousands, and are left alone. */
const DECIMAL_COMMA = /^[+-]?(?:0?,\d+|\d+,(?:\d{1,2}|\d{4,}))$/;
const NOT_FINITE: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  infinity: Number.POSITIVE_INFINITY,
};

/** A number, or the text of one; undefined for anything else. Columnar files have 64-bit integers. */
function numberOf(cell: unknown): number | undefined {
  if (typeof cell === 'number') return cell;
  if (typeof cell === 'bigint') return Number(cell);
  if (typeof cell !== 'string') return undefined;
  const text = cell.trim();
  if (NUMBER.test(text)) return Number(text);
  if (DECIMAL_COMMA.test(text)) return Number(text.replace(',', '.'));
  const [, sign, word = ''] = /^([+-]?)(\w+)$/.exec(text.toLowerCase()) ?? [];
  const value = NOT_FINITE[word];
  return value === undefined ? undefined : sign === '-' ? -value : value;
}

const shown = (cell: unknown): string => {
  if (typeof cell === 'number' || typeof cell === 'bigint') return String(cell);
  if (typeof cell === 'string' && numberOf(cell) !== undefined) return cell.trim();
  const text = JSON.stringify(cell) ?? String(cell);
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
};

const bad = (category: string, message: string) => ({ ok: false, category, message }) as const;
const good = <T>(value: T) => ({ ok: true, value }) as const;

export const outsideScale = (name: string): string => `${name} outside its scale`;

/** Words as numbers on the scale of what they stand for. */
export type WordValues = Readonly<Record<string, number>>;

/** What everybody writes for right and wrong, on the unit scale alone: of others nobody knows which end is meant. */
const USUAL_WORDS: WordValues = { true: 1, false: 0, yes: 1, no: 0 };

export const noNumber = (name: string): string => `${name} is a word`;

/** What people and programs write where there is no value. */
const WORDS_FOR_NONE = /^(?:nan|n\/?a|n\.a\.|none|null|nil|undefined|missing|unknown|skip(?:ped)?|[-–—?.]+)$/i;
const FOR_NONE = ' is a word for no value: ';

/** How cells are left out that say in some word that they hold nothing; empty where none does. */
export function noValueHint(categories: Iterable<string>): string {
  const words = [...categories].flatMap((category) => {
    const at = category.indexOf(FOR_NONE);
    return at < 0 ? [] : [category.slice(at + FOR_NONE.length)];
  });
  if (words.length === 0) return '';
  const quoted = [...new Set(words)].map((word) => (/^(?!null$)[a-z]/i.test(word) ? word : JSON.stringify(word)));
  return `Leave a cell empty that has no value, or say which words mean that: \`missing: [NA, ${quoted.join(', ')}]\`. `;
}

/** The number that a word or a truth value stands for; undefined for none. */
function wordValue(cell: unknown, [low, high]: Scale, words: WordValues): number | undefined {
  if (typeof cell !== 'string' && typeof cell !== 'boolean') return undefined;
  const word = String(cell).trim();
  for (const known of low === 0 && high === 1 ? [words, USUAL_WORDS] : [words]) {
    for (const [name, value] of Object.entries(known)) if (name.toLowerCase() === word.toLowerCase()) return value;
  }
  return undefined;
}

/**
 * A value on a declared scale, as a share of it in [0, 1]. The comparison is written so that NaN fails.
 * @param words what stands for which number, beside what everybody writes
 */
export function readOnScale(cell: unknown, name: string, scale: Scale, words: WordValues = {}): Read<number> {
  const [low, high] = scale;
  const known = wordValue(cell, scale, words);
  if (known === undefined && typeof cell === 'string' && WORDS_FOR_NONE.test(cell.trim())) {
    return bad(`${name}${FOR_NONE}${cell.trim()}`, `${name} is ${shown(cell)}, which is no value`);
  }
  const value = known ?? numberOf(cell);
  if (value === undefined) {
    const word = typeof cell === 'boolean' || (typeof cell === 'string' && /^\s*\p{L}/u.test(cell));
    const category = word ? noNumber(name) : `${name} is no number`;
    return bad(category, `${name} is ${shown(cell)}, not a number`);
  }
  if (!(value >= low && value <= high)) {
    return bad(outsideScale(name), `${name} is ${shown(cell)}, outside [${low}, ${high}]`);
  }
  return good((value - low) / (high - low));
}

/** A variance on a declared scale, as one on the unit scale. */
export function readVariance(cell: unknown, name: string, [low, high]: Scale): Read<number> {
  const value = numberOf(cell);
  if (value === undefined) return bad(`${name} is no number`, `${name} is ${shown(cell)}, not a number`);
  if (!(value >= 0 && Number.isFinite(value))) {
    return bad(`${name} is no variance`, `${name} is ${shown(cell)}; a variance is 0 or more`);
  }
  return good(value / (high - low) ** 2);
}

/** The log probability of a whole response, nats: at most 0, and finite. */
export function readLogprob(cell: unknown, name: string): Read<number> {
  const value = numberOf(cell);
  if (value === undefined) return bad(`${name} is no number`, `${name} is ${shown(cell)}, not a number`);
  if (!Number.isFinite(value)) {
    return bad(`${name} is not finite`, `${name} is ${shown(cell)}; leave a value empty that is not known`);
  }
  if (value > 0) {
    return bad(`${name} above 0`, `${name} is ${shown(cell)}; a log probability is never above 0`);
  }
  // JSON has no −0, and no reader tells the two apart.
  return good(value === 0 ? 0 : value);
}

/** The probability with which a response was chosen for a label: above 0, at most 1. */
export function readPropensity(cell: unknown, name: string): Read<number> {
  const value = numberOf(cell);
  if (value !== undefined && value > 0 && value <= 1) return good(value);
  return bad(`${name} outside (0, 1]`, `${name} is ${shown(cell)}, no probability above 0 and at most 1`);
}

/** A count such as a draw's index or a response's words: a whole number from 0. */
export function readCount(cell: unknown, name: string): Read<number> {
  const value = numberOf(cell);
  if (value !== undefined && Number.isSafeInteger(value) && value >= 0) return good(value);
  return bad(`${name} is no count`, `${name} is ${shown(cell)}, not a whole number from 0`);
}

/** An id, as text. A number too large for a double may have been another one in the file. */
export function readId(cell: unknown, name: string): Read<string> {
  if (typeof cell === 'string') {
    const text = cell.trim();
    return text === '' ? bad(`no ${name}`, `${name} is empty`) : good(text);
  }
  if (typeof cell === 'bigint') return good(String(cell));
  if (typeof cell === 'number' && Number.isFinite(cell)) {
    if (!Number.isInteger(cell) || Number.isSafeInteger(cell)) return good(String(cell));
    return bad(`${name} is not exact`, `${name} is ${cell}, too large to be read exactly; write it as text`);
  }
  return cell === null
    ? bad(`no ${name}`, `there is no ${name}`)
    : bad(`${name} is no id`, `${name} is ${shown(cell)}, neither text nor a number`);
}
