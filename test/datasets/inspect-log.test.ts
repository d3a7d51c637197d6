/** Logs of Inspect, as JSON and as archives: which rows they are, and what is refused. */

import { crc32, deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { SourceError } from '../../src/core/kind.ts';
import { readRecords } from '../../src/datasets/files/table.ts';
import { PromptReader, readSourceRows } from '../../src/datasets/prompt-source.ts';

const options = { missing: new Set<string>(), wanted: () => true };
const encode = (value: unknown) => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));

const HEAD = { version: 2, status: 'success', eval: { task: 'sums', model: 'lab/north' }, plan: {} };
const SAMPLE = {
  id: 7,
  epoch: 2,
  input: 'What is 2 + 2?',
  target: ['4', 'four'],
  output: { completion: 'Four.', stop_reason: 'stop' },
  scores: { match: { value: 'P', explanation: 'In words.' } },
  metadata: { topic: 'sums' },
};

const rows = async (content: Uint8Array, label = 'run.json') =>
  (await readRecords({ bytes: content, label }, options)).records.map(({ fields }) => fields);
const ofSample = async (sample: object) => (await rows(encode({ ...HEAD, samples: [sample] })))[0]!;

interface Packed {
  readonly name: string;
  readonly text: string;
  readonly method?: number;
  /** Bytes between the name and the file, which the directory does not have. */
  readonly extra?: string;
}

/** A ZIP archive: files, their directory, and where that is. */
function zip(files: readonly Packed[], comment = ''): Uint8Array {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, text, method = 8, extra = '' } of files) {
    const plain = Buffer.from(text);
    const packed = method === 8 ? deflateRawSync(plain) : plain;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(method, 4);
    common.writeUInt32LE(crc32(plain), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(plain.length, 18);
    common.writeUInt16LE(name.length, 22);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    const own = Buffer.from(common);
    own.writeUInt16LE(extra.length, 24);
    parts.push(Buffer.from('PK\x03\x04'), own, Buffer.from(name), Buffer.from(extra), packed);
    directory.push(Buffer.from('PK\x01\x02'), Buffer.alloc(2), common, place, Buffer.from(name));
    offset += 30 + name.length + extra.length + packed.length;
  }
  const end = Buffer.alloc(18);
  end.writeUInt16LE(files.length, 6);
  end.writeUInt32LE(Buffer.concat(directory).length, 8);
  end.writeUInt32LE(offset, 12);
  end.writeUInt16LE(comment.length, 16);
  return Buffer.concat([...parts, ...directory, Buffer.from('PK\x05\x06'), end, Buffer.from(comment)]);
}

const archive = (samples: readonly object[], more: readonly Packed[] = []) =>
  zip([
    { name: 'header.json', text: JSON.stringify(HEAD) },
    ...samples.map((sample, index) => ({ name: `samples/${index + 9}_epoch_1.json`, text: JSON.stringify(sample) })),
    ...more,
  ]);

describe('a log as JSON', () => {
  it('has a row for each sample, under the names of rows elsewhere; grades are numbers', async () => {
    expect(await ofSample(SAMPLE)).toEqual({
      prompt_id: 7,
      prompt: 'What is 2 + 2?',
      policy: 'lab/north',
      response: 'Four.',
      draw_index: 1,
      target: '4\nfour',
      metadata: { topic: 'sums' },
      stop_reason: 'stop',
      scores: { match: 0.5 },
      explanations: { match: 'In words.' },
      score: 0.5,
      judge_score: 0.5,
      rationale: 'In words.',
    });
  });

  it('takes no score for the one where there are several, or parts of one', async () => {
    const two = await ofSample({
      ...SAMPLE,
      scores: { match: { value: 'C' }, style: { value: { tone: 'I', length: 3 } } },
    });
    expect(two.scores).toEqual({ match: 1, style: { tone: 0, length: 3 } });
    expect(two).not.toHaveProperty('judge_score');
    expect(await ofSample({ ...SAMPLE, scores: { style: { value: { tone: 1 } } } })).not.toHaveProperty('score');
  });

  it('reads what was asked in turns, and what was answered last, without thoughts', async () => {
    const input = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Why?' },
    ];
    const content = [
      { type: 'reasoning', reasoning: 'Hm.' },
      { type: 'text', text: 'So.' },
    ];
    const row = await ofSample({ id: 'a', input, messages: [...input, { role: 'assistant', content }], scores: {} });
    expect(row).toMatchObject({ messages: input, response: 'So.' });
    expect(row).not.toHaveProperty('prompt');
  });

  it('counts what was not scored as missing, as the first version of logs and NaN have it', async () => {
    expect(await ofSample({ id: 1, input: 'x', score: { value: 'C' } })).toMatchObject({ score: 1 });
    const unscored = encode(
      `{"eval": {"model": "m"}, "samples": [{"id": 1, "input": "x", "scores": {"s": {"value": NaN}}}]}`,
    );
    expect((await rows(unscored))[0]).toMatchObject({ judge_score: null });
  });

  it('is refused without samples', async () => {
    await expect(rows(encode({ ...HEAD, samples: [] }))).rejects.toThrow('this Inspect log has no samples');
    await expect(rows(encode(HEAD))).rejects.toThrow('this Inspect log has no samples');
  });

  it('is a file of prompts too', async () => {
    const source = await readSourceRows({ bytes: encode({ ...HEAD, samples: [SAMPLE] }), label: 'run.json' });
    const reader = new PromptReader(source);
    expect(source.map((row) => reader.read(row).prompt)).toEqual(['What is 2 + 2?']);
    expect(source[0]!.fields.prompt_id).toBe(7);
  });
});

describe('a log as an archive', () => {
  it('has the same rows, in the order of their numbers, whatever follows the directory', async () => {
    const samples = [SAMPLE, { ...SAMPLE, id: 8 }];
    expect(await rows(archive(samples), 'run.eval')).toEqual(await rows(encode({ ...HEAD, samples })));
    const entries = [
      { name: 'samples/10_epoch_1.json', text: JSON.stringify({ ...SAMPLE, id: 10 }), method: 0 },
      { name: 'samples/9_epoch_1.json', text: JSON.stringify({ ...SAMPLE, id: 9 }), extra: 'UT\x01\x00x' },
      { name: '_journal/start.json', text: JSON.stringify(HEAD) },
    ];
    expect((await rows(zip(entries, 'a comment'), 'run.eval')).map((row) => row.prompt_id)).toEqual([9, 10]);
  });

  it('is refused where it is damaged or has no samples, and so is an archive of something else', async () => {
    const whole = archive([SAMPLE]);
    const refused = async (content: Uint8Array) => rows(content, 'run.eval').catch((error: unknown) => error);
    expect(await refused(whole.subarray(0, whole.length - 30))).toMatchObject({
      message: 'this ZIP archive has no directory at its end',
    });
    const bent = Uint8Array.from(whole);
    // The first byte of the header's text.
    bent[30 + 'header.json'.length + 8]! ^= 0xff;
    expect((await refused(bent)) as SourceError).toBeInstanceOf(SourceError);
    expect(await refused(archive([]))).toMatchObject({ message: 'this Inspect log has no samples' });
    expect(await refused(zip([{ name: 'xl/workbook.xml', text: '<x/>' }]))).toMatchObject({
      message: 'this is a ZIP archive, or a spreadsheet that is one',
    });
    expect(await refused(archive([SAMPLE], [{ name: 'samples/x.json', text: '{', method: 0 }]))).toMatchObject({
      message: '"samples/x.json" in this Inspect log is not JSON',
    });
    expect(await refused(archive([SAMPLE], [{ name: 'samples/x.json', text: '{}', method: 12 }]))).toMatchObject({
      message: expect.stringContaining('method 12'),
    });
  });
});
