/** What is read from a model's file, and what is refused. */

import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { localModelId } from '../../src/core/local-engine.ts';
import { modelFileReader } from '../../src/llama/model-file.ts';
import { CONTROLS, TEMPLATE, tinyGguf } from '../helpers/gguf.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cje-gguf-'));
  mkdirSync(join(folder, 'cache'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const MODEL = tinyGguf({ seed: 1, name: 'tiny model/1' });

function written(bytes: Buffer, name = 'model.gguf'): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  // Long ago, so that its stat proves that it has not changed.
  utimesSync(path, 1e9, 1e9);
  return path;
}

/** A reader on the day after tomorrow, so that no time stamp is racy. */
const reader = () => modelFileReader(join(folder, 'cache'), () => Date.now() + 2 * 86_400_000);

describe('a model file', () => {
  it('says what it is called, how it is prompted and how its texts begin', () => {
    const sha256 = createHash('sha256').update(MODEL).digest('hex');
    const read = reader()(written(MODEL));
    expect(read).toEqual({
      ok: true,
      file: {
        sha256,
        name: 'tiny model/1',
        context: 4096,
        template: TEMPLATE,
        bos: '<|begin_of_text|>',
        eos: '<|eot|>',
        special: [...CONTROLS].sort(),
      },
    });
    expect(read.ok && localModelId(read.file)).toBe(`tiny-model-1@${sha256.slice(0, 16)}`);
  });

  it('that says it was trained for no context says nothing of it', () => {
    // A number of 4 bytes follows its name and type.
    const name = MODEL.indexOf('llama.context_length') + 'llama.context_length'.length + 4;
    const bytes = Buffer.from(MODEL);
    expect(bytes.readUInt32LE(name)).toBe(4096);
    bytes.writeUInt32LE(0, name);
    expect(reader()(written(bytes))).toMatchObject({ ok: true, file: { context: null } });
  });

  it('without a template has none, and without a beginning no such token', () => {
    const bare = tinyGguf({
      seed: 1,
      template: null,
      without: ['tokenizer.ggml.bos_token_id', 'general.name', 'llama.context_length'],
    });
    const read = reader()(written(bare));
    expect(read).toMatchObject({ ok: true, file: { template: null, bos: null, name: '', context: null } });
    expect(read.ok && localModelId(read.file)).toMatch(/^gguf@[0-9a-f]{16}$/);
  });

  it.each([
    ['a text', Buffer.from('once upon a time, and a little longer'), 'is no GGUF file'],
    ['an empty file', Buffer.alloc(0), 'is no GGUF file'],
    ['another version', Buffer.concat([Buffer.from('GGUF'), Buffer.from([9, 0, 0, 0]), Buffer.alloc(24)]), 'version 9'],
    ['a head that was cut', MODEL.subarray(0, 5000), 'ends within its head'],
    ['tensors that were cut', MODEL.subarray(0, MODEL.length / 2), 'lacks some of its tensors'],
  ])('is refused where it is %s', (_, bytes, reason) => {
    const read = reader()(written(bytes));
    expect(read.ok ? '' : read.reason).toContain(reason);
  });

  it('says why it cannot be read', () => {
    expect(reader()(join(folder, 'nowhere.gguf'))).toEqual({ ok: false, reason: 'cannot be read (ENOENT)' });
  });
});

describe('the digest of a model file', () => {
  const memory = () => join(folder, 'cache', 'model-files.json');

  it('is remembered while the file stays the same, and taken anew when it changes', () => {
    const path = written(MODEL);
    const first = reader()(path);
    const remembered = JSON.parse(readFileSync(memory(), 'utf8'));
    // What is remembered is believed: this is how one sees that the file was not read.
    remembered[path].file.name = 'as remembered';
    writeFileSync(memory(), JSON.stringify(remembered));
    expect(reader()(path)).toMatchObject({ ok: true, file: { name: 'as remembered' } });
    appendFileSync(path, 'x');
    const changed = reader()(path);
    expect(changed).toMatchObject({ ok: true, file: { name: 'tiny model/1' } });
    expect(changed.ok && first.ok && changed.file.sha256 !== first.file.sha256).toBe(true);
  });

  it('is taken anew where the memory is damaged', () => {
    const path = written(MODEL);
    reader()(path);
    for (const damage of ['{', '[]', JSON.stringify({ [path]: { stat: {}, file: {} } })]) {
      writeFileSync(memory(), damage);
      expect(reader()(path)).toMatchObject({ ok: true, file: { name: 'tiny model/1' } });
    }
  });
});
