/** The head of a GGUF file, byte by byte. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readGgufHead } from '../../src/llama/gguf.ts';

const folder = mkdtempSync(join(tmpdir(), 'gguf-'));
afterAll(() => rmSync(folder, { recursive: true }));

const u32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer);
const u64 = (value: number) => Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
const text = (value: string) => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);
const UINT32 = 4;

/** A file of one key and one tensor of four numbers, which begins so far behind the head, and of so many bytes in all. */
function fileOf({ version = 3, alignment = 64, offset = 128 }, size: (head: number) => number): string {
  const head = Buffer.concat([
    Buffer.from('GGUF'),
    u32(version),
    ...[u64(1), u64(1)],
    ...[text('general.alignment'), u32(UINT32), u32(alignment)],
    ...[text('weights'), u32(1), u64(4), u32(0), u64(offset)],
  ]);
  const path = join(folder, 'model.gguf');
  const bytes = Buffer.alloc(Math.max(size(head.length), head.length));
  head.copy(bytes);
  writeFileSync(path, bytes);
  return path;
}
const aligned = (head: number, to: number) => Math.ceil(head / to) * to;

describe('a model file', () => {
  it.each([
    ['whole, where a byte of its last tensor is there', {}, (head: number) => aligned(head, 64) + 129, true],
    ['cut, where none is', {}, (head: number) => aligned(head, 64) + 128, false],
    ['cut by its alignment alone', {}, (head: number) => head + 129, false],
    ['of version 2', { version: 2 }, (head: number) => head + 999, true],
    ['of version 1, which is not read', { version: 1 }, (head: number) => head + 999, false],
    ['of version 4, which is not read', { version: 4 }, (head: number) => head + 999, false],
  ])('is %s', (_, parts, size, ok) => {
    const read = readGgufHead(fileOf(parts, size));
    expect(read.ok).toBe(ok);
    if (read.ok) expect([...read.head.keys]).toEqual([['general.alignment', 64]]);
  });
});
