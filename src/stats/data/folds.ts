import { blake2b } from '@noble/hashes/blake2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

/**
 * The cross-fitting fold of a prompt: BLAKE2b with an 8-byte digest (not a truncated BLAKE2b-512: the digest length
 * enters the parameter block) over the UTF-8 of `"{promptId}-{seed}-{folds}"`, read as a big-endian unsigned 64-bit
 * integer, modulo `folds`. A fold depends on the prompt alone, so it survives filtering and re-ordering.
 *
 * Refuses (throws RangeError) an empty prompt id and fewer than two folds.
 */
export function foldOfPrompt(promptId: string, folds: number, seed: number): number {
  if (promptId === '') throw new RangeError('a prompt id is empty, so it has no fold');
  if (!Number.isInteger(folds) || folds < 2) throw new RangeError(`at least 2 folds are needed, not ${folds}`);
  const digest = blake2b(utf8ToBytes(`${promptId}-${seed}-${folds}`), { dkLen: 8 });
  return modulo(digest, folds);
}

/** Folds already computed, by seed and count. Only speed depends on it: a fold is a pure function of its arguments. */
const memory = new Map<string, Map<string, number>>();
const MEMORY_LIMIT = 500_000;

/** The same by column of prompt ids: the estimators of one data set ask for its folds again and again. */
const columns = new WeakMap<readonly string[], Map<string, Int32Array>>();

/**
 * Folds of many prompts. A BLAKE2b digest costs more than all else that happens to a row, so each is taken once. Callers
 * must not write into the result.
 *
 * @example
 * foldsOfPrompts(['a', 'b', 'c'], 5, 42) // [1,1,4]
 */
export function foldsOfPrompts(promptIds: readonly string[], folds: number, seed: number): Int32Array {
  const key = `${seed}-${folds}`;
  let ofColumn = columns.get(promptIds);
  if (ofColumn === undefined) {
    ofColumn = new Map();
    columns.set(promptIds, ofColumn);
  }
  let labels = ofColumn.get(key);
  if (labels === undefined) {
    labels = hashFolds(promptIds, folds, seed, key);
    ofColumn.set(key, labels);
  }
  return labels;
}

function hashFolds(promptIds: readonly string[], folds: number, seed: number, key: string): Int32Array {
  let known = memory.get(key);
  if (known === undefined || known.size > MEMORY_LIMIT) {
    known = new Map();
    memory.set(key, known);
  }
  const labels = new Int32Array(promptIds.length);
  for (let i = 0; i < labels.length; i++) {
    const id = promptIds[i]!;
    let fold = known.get(id);
    if (fold === undefined) {
      fold = foldOfPrompt(id, folds, seed);
      known.set(id, fold);
    }
    labels[i] = fold;
  }
  return labels;
}

/** Fold labels renumbered 0, 1, … in ascending order of the labels that occur. */
export function renumberFolds(labels: Int32Array): Int32Array {
  let largest = -1;
  for (let i = 0; i < labels.length; i++) if (labels[i]! > largest) largest = labels[i]!;
  const position = new Int32Array(largest + 1).fill(-1);
  for (let i = 0; i < labels.length; i++) position[labels[i]!] = 0;
  let next = 0;
  for (let label = 0; label <= largest; label++) if (position[label] === 0) position[label] = next++;
  const out = new Int32Array(labels.length);
  for (let i = 0; i < out.length; i++) out[i] = position[labels[i]!]!;
  return out;
}

/** Folds of any prompt, given those that have labels. */
export type PromptFolds = (promptIds: readonly string[]) => Int32Array;

/**
 * Balanced folds (cje-eval 0.6): distinct labelled prompts in order of (BLAKE2b-128 of `"{promptId}-{seed}"`, promptId) are
 * dealt out in turn, so that folds differ by at most one labelled prompt; other prompts take their hash modulo the
 * number of folds.
 */
export function balancedFolds(labelledPromptIds: readonly string[], folds: number, seed: number): PromptFolds {
  const foldOf = new Map(hashedOrder([...new Set(labelledPromptIds)], seed).map((id, rank) => [id, rank % folds]));
  return (promptIds) => Int32Array.from(promptIds, (id) => foldOf.get(id) ?? modulo(promptDigest(id, seed), folds));
}

/**
 * Prompts in the order of a hash of their ids (BLAKE2b-128 of `"{promptId}-{seed}"`): an order that neither a file nor a label
 * decides, for inference that takes one prompt after the other.
 *
 * @example
 * hashedOrder(['a', 'b', 'c'], 42) // ["b","c","a"]
 */
export function hashedOrder(promptIds: readonly string[], seed: number): string[] {
  const hashed = promptIds.map((id) => ({ id, hash: bytesToHex(promptDigest(id, seed)) }));
  hashed.sort((a, b) => (a.hash < b.hash ? -1 : a.hash > b.hash ? 1 : a.id < b.id ? -1 : 1));
  return hashed.map(({ id }) => id);
}

function promptDigest(promptId: string, seed: number): Uint8Array {
  return blake2b(utf8ToBytes(`${promptId}-${seed}`), { dkLen: 16 });
}

/** A big-endian integer of any length modulo a small number, Horner style: stays far below 2^53. */
function modulo(digest: Uint8Array, divisor: number): number {
  let remainder = 0;
  for (const byte of digest) remainder = (remainder * 256 + byte) % divisor;
  return remainder;
}
