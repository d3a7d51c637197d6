/**
 * What a model's file says of itself, and the digest that stands for it in keys. A digest of gigabytes takes seconds, so
 * it is remembered by the file's stat. A memory: without it, or with a damaged one, the file is read again.
 */

import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import type { ModelFile, ReadModelFile } from '../core/local-engine.ts';
import { type FileStat, fileStatOf, isRacy } from '../store/disk/file-stat.ts';
import { type GgufHead, readGgufHead } from './gguf.ts';

const MEMORY = 'model-files.json';
const CHUNK = 1 << 23;
/** What GGUF calls a token that is control. */
const CONTROL = 3;

/** @param cache the cache's folder; nothing is remembered where it is not there */
export function modelFileReader(cache: string, now: () => number): ReadModelFile {
  const memory = join(cache, MEMORY);
  return (path) => {
    const readAt = now();
    const stat = statOf(path);
    const known = stat === undefined ? undefined : recall(memory, path, stat);
    if (known !== undefined) return { ok: true, file: known };
    const read = readGgufHead(path);
    if (!read.ok) return read;
    const file = describe(read.head, sha256Of(path));
    if (stat !== undefined && !isRacy(stat, readAt)) keep(memory, path, stat, file);
    return { ok: true, file };
  };
}

function statOf(path: string): FileStat | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? undefined : fileStatOf(found);
}

function describe({ keys }: GgufHead, sha256: string): ModelFile {
  const text = (key: string): string | undefined => {
    const value = keys.get(key);
    return typeof value === 'string' ? value : undefined;
  };
  const context = keys.get(`${text('general.architecture')}.context_length`);
  const tokens = keys.get('tokenizer.ggml.tokens');
  const types = keys.get('tokenizer.ggml.token_type');
  const vocabulary = Array.isArray(tokens) ? (tokens as readonly string[]) : [];
  const kinds = Array.isArray(types) ? (types as readonly number[]) : [];
  const template = text('tokenizer.chat_template') ?? null;
  const begin = vocabulary[Number(keys.get('tokenizer.ggml.bos_token_id') ?? -1)];
  // Where the tokenizer leaves it out, the template may write it all the same.
  const isWritten =
    begin !== undefined &&
    (keys.get('tokenizer.ggml.add_bos_token') !== false ||
      template?.includes('bos_token') === true ||
      template?.includes(begin) === true);
  const special = vocabulary.filter((token, id) => kinds[id] === CONTROL && token.length > 1);
  return {
    sha256,
    name: text('general.name') ?? '',
    context: typeof context === 'number' && context > 0 ? context : null,
    template,
    bos: isWritten ? begin : null,
    eos: vocabulary[Number(keys.get('tokenizer.ggml.eos_token_id') ?? -1)] ?? null,
    special: [...new Set(special)].sort(),
  };
}

function sha256Of(path: string): string {
  const hash = createHash('sha256');
  const file = openSync(path, 'r');
  try {
    const chunk = Buffer.alloc(CHUNK);
    for (let read = readSync(file, chunk); read > 0; read = readSync(file, chunk)) hash.update(chunk.subarray(0, read));
  } finally {
    closeSync(file);
  }
  return hash.digest('hex');
}

function recall(memory: string, path: string, stat: FileStat): ModelFile | undefined {
  const entry = readMemory(memory)[path];
  if (!isJsonObject(entry) || !isJsonObject(entry.file) || !isJsonObject(entry.stat)) return undefined;
  const { size, modified, changed, inode } = entry.stat;
  const isSame = size === stat.size && modified === stat.modified && changed === stat.changed && inode === stat.inode;
  return isSame ? fileIn(entry.file) : undefined;
}

function fileIn({ sha256, name, context, template, bos, eos, special }: JsonObject): ModelFile | undefined {
  const isText = (value: unknown): value is string => typeof value === 'string';
  if (!isText(sha256) || !isText(name) || !Array.isArray(special) || !special.every(isText)) return undefined;
  if (context === undefined || (context !== null && typeof context !== 'number')) return undefined;
  if (template === undefined || (template !== null && !isText(template))) return undefined;
  if (bos === undefined || (bos !== null && !isText(bos))) return undefined;
  if (eos === undefined || (eos !== null && !isText(eos))) return undefined;
  return { sha256, name, context, template, bos, eos, special };
}

function readMemory(memory: string): JsonObject {
  try {
    const read: unknown = JSON.parse(readFileSync(memory, 'utf8'));
    return isJsonObject(read) ? read : {};
  } catch {
    return {};
  }
}

function keep(memory: string, path: string, stat: FileStat, file: ModelFile): void {
  try {
    const aside = `${memory}.${process.pid}`;
    writeFileSync(aside, JSON.stringify({ ...readMemory(memory), [path]: { stat, file } }));
    renameSync(aside, memory);
  } catch {
    // No cache yet, a full disk or a read-only one only cost the memory.
  }
}
