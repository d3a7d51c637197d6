/**
 * The simulated models' tokenizer: greedy longest match over control tokens, the words of the sentences, runs of
 * newlines and pairs of letters, and single bytes for whatever is left.
 */

import { chatTemplate, TEMPLATE_NAMES } from '../../teacher-forcing/templates.ts';
import { ALL_SENTENCES } from './sentences.ts';

/** The longest run of newlines that is one token. */
const LONGEST_RUN = 16;

interface TrieNode {
  readonly next: Map<number, TrieNode>;
  id: number;
}

export interface Tokenizer {
  readonly size: number;
  encode(text: string): number[];
  /** The token's text as a server shows it: U+FFFD where it is no whole character. */
  show(id: number): string;
  bytes(id: number): Uint8Array;
  /** The text of a sequence; undefined when an id is none of ours. */
  decode(ids: readonly number[]): string | undefined;
  /** The id of a text that is one token. */
  idOf(text: string): number;
}

/** A tokenizer is the same in every world, and takes a while to make. */
const made = new Map<boolean, Tokenizer>();

export function tokenizerOf({ mergeTemplateNewlines }: { readonly mergeTemplateNewlines: boolean }): Tokenizer {
  const known = made.get(mergeTemplateNewlines);
  if (known !== undefined) return known;
  const tokenizer = createTokenizer(mergeTemplateNewlines);
  made.set(mergeTemplateNewlines, tokenizer);
  return tokenizer;
}

function createTokenizer(mergeTemplateNewlines: boolean): Tokenizer {
  const entries = vocabulary(mergeTemplateNewlines);
  const bytesOf: Uint8Array[] = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte));
  const shown: string[] = bytesOf.map((bytes) => Buffer.from(bytes).toString('utf8'));
  const root: TrieNode = { next: new Map(), id: -1 };
  for (const entry of entries) {
    insert(root, entry, bytesOf.length);
    bytesOf.push(Buffer.from(entry));
    shown.push(entry);
  }
  const known = new Map(shown.map((text, id) => [text, id]));

  return {
    size: bytesOf.length,
    encode: (text) => encode(root, text),
    show: (id) => shown[id]!,
    bytes: (id) => bytesOf[id]!,
    decode(ids) {
      const parts: Uint8Array[] = [];
      for (const id of ids) {
        const bytes = bytesOf[id];
        if (bytes === undefined) return undefined;
        parts.push(bytes);
      }
      return Buffer.concat(parts).toString('utf8');
    },
    idOf(text) {
      const id = known.get(text);
      if (id === undefined) throw new Error(`Internal error: ${JSON.stringify(text)} is not one token`);
      return id;
    },
  };
}

/** Texts of more than one byte, each once. */
function vocabulary(mergeTemplateNewlines: boolean): Set<string> {
  const entries = new Set<string>();
  for (const name of TEMPLATE_NAMES) {
    const { bos, endOfTurn, open, special } = chatTemplate(name)!;
    if (bos !== null) entries.add(bos);
    entries.add(endOfTurn);
    for (const role of ['system', 'user', 'assistant'] as const) {
      const opening = open(role);
      if (!mergeTemplateNewlines) entries.add(opening);
      for (const token of opening.match(special) ?? []) entries.add(token);
    }
  }
  for (const { text } of ALL_SENTENCES) {
    for (const word of text.split(' ')) entries.add(word).add(` ${word}`);
  }
  for (let length = 2; length <= LONGEST_RUN; length++) entries.add('\n'.repeat(length));
  const letters = 'abcdefghijklmnopqrstuvwxyz';
  for (const first of letters) {
    entries.add(` ${first}`);
    for (const second of letters) entries.add(first + second);
  }
  for (const entry of entries) if (entry.length === 1) entries.delete(entry);
  return entries;
}

function insert(root: TrieNode, entry: string, id: number): void {
  let node = root;
  for (let index = 0; index < entry.length; index++) {
    const unit = entry.charCodeAt(index);
    let next = node.next.get(unit);
    if (next === undefined) {
      next = { next: new Map(), id: -1 };
      node.next.set(unit, next);
    }
    node = next;
  }
  node.id = id;
}

function encode(root: TrieNode, text: string): number[] {
  const ids: number[] = [];
  let position = 0;
  while (position < text.length) {
    let node: TrieNode | undefined = root;
    let id = -1;
    let end = position;
    for (let index = position; index < text.length; index++) {
      node = node.next.get(text.charCodeAt(index));
      if (node === undefined) break;
      if (node.id >= 0) {
        id = node.id;
        end = index + 1;
      }
    }
    if (id >= 0) {
      ids.push(id);
      position = end;
      continue;
    }
    const codePoint = text.codePointAt(position)!;
    if (codePoint < 0x80) ids.push(codePoint);
    else for (const byte of Buffer.from(String.fromCodePoint(codePoint))) ids.push(byte);
    position += codePoint > 0xffff ? 2 : 1;
  }
  return ids;
}
