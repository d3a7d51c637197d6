/** Lines of a part of a pack, as entries of the store; undefined for a line that is not one. */

import { type Digest, digestText } from '../../core/digest.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { Action, StoredCall, StoredFailure, Superseded } from '../../core/storage.ts';
import { isAction, isStoredCall, isStoredFailure, isSuperseded } from '../tables/entry-shapes.ts';

interface Keyed<T> {
  readonly key: Digest;
  readonly value: T;
}

export const readCalls = (bytes: Buffer): Generator<Keyed<StoredCall> | undefined> => readKeyed(bytes, isStoredCall);

export const readFailures = (bytes: Buffer): Generator<Keyed<StoredFailure> | undefined> =>
  readKeyed(bytes, isStoredFailure);

/** Earlier answers to one call, oldest first. */
export function* readSuperseded(bytes: Buffer): Generator<Keyed<readonly Superseded[]> | undefined> {
  for (const row of rowsOf(bytes)) yield isJsonObject(row) ? keyedHistory(row) : undefined;
}

export function* readActions(bytes: Buffer): Generator<Action | undefined> {
  for (const row of rowsOf(bytes)) yield isAction(row) ? row : undefined;
}

/** The JSON of a file; undefined where it is none. */
export function parseJson(bytes: Buffer | string): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}

type Guard<T> = (value: unknown) => value is T;

function* readKeyed<T extends { readonly request: string }>(
  bytes: Buffer,
  isEntry: Guard<T>,
): Generator<Keyed<T> | undefined> {
  for (const row of rowsOf(bytes)) yield isJsonObject(row) ? keyed(row, isEntry) : undefined;
}

/** A line's key must be the digest of its request. */
function keyed<T extends { readonly request: string }>(row: JsonObject, isEntry: Guard<T>): Keyed<T> | undefined {
  const { key, ...value } = row;
  if (!isEntry(value)) return undefined;
  const digest = digestText(value.request);
  return digest === key ? { key: digest, value } : undefined;
}

function keyedHistory({ key, answers }: JsonObject): Keyed<readonly Superseded[]> | undefined {
  if (!Array.isArray(answers) || answers.length === 0) return undefined;
  const history: Superseded[] = [];
  for (const answer of answers as readonly unknown[]) {
    if (!isSuperseded(answer) || digestText(answer.request) !== key) return undefined;
    history.push(answer);
  }
  return { key: key as Digest, value: history };
}

function* rowsOf(bytes: Buffer): Generator<unknown> {
  for (const line of bytes.toString('utf8').split('\n')) if (line !== '') yield parseJson(line);
}
