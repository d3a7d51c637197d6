import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProblemError } from '../../src/core/problem.ts';
import type { BuildRecord } from '../../src/core/storage.ts';
import { addBills, unrecordedPurchases } from '../../src/core/unrecorded.ts';
import { unresolvedIntents } from '../../src/replies/intents.ts';
import { packEntries } from '../../src/store/pack/archive.ts';
import { exportPack } from '../../src/store/pack/export.ts';
import { importPack } from '../../src/store/pack/import.ts';
import { padding, tarHeader } from '../../src/store/pack/tar.ts';
import type { LocalStore } from '../../src/store/store.ts';
import { collect } from '../../src/store/upkeep/collect.ts';
import { verifyStore } from '../../src/store/upkeep/verify.ts';
import { sampleAction, sampleBuild, sampleCall } from './sample.ts';
import { workshop } from './support.ts';

const { folder, open } = workshop();

/** Rows that take more than one part of a pack. */
const LARGE = 9000;

/** One finished build, and a reply that it does not depend on. */
async function built(store: LocalStore, { replies = 30, rows: lines = 9 } = {}): Promise<BuildRecord> {
  const samples = Array.from({ length: replies }, (_, index) => sampleCall(index));
  await Promise.all(samples.map(({ key, call }) => store.calls.put(key, call)));
  const failed = sampleCall(5000);
  const failure = { class: 'permanent', reason: 'filtered', message: 'no' } as const;
  await store.calls.putFailure(failed.key, {
    request: failed.call.request,
    failure,
    failedAt: 4,
    node: 'responses/p0',
  });
  await store.calls.put(sampleCall(6000).key, sampleCall(6000).call);
  const rows = await store.blobs.put(`{"text":"${'z'.repeat(990)}"}\n`.repeat(lines));
  const empty = await store.blobs.put('');
  const keys = [...samples.map(({ key }) => key), failed.key];
  const calls = await store.blobs.put(keys.map((key) => `${key}\n`).join(''));
  const action = { ...sampleAction('node'), outputs: { 'rows.jsonl': rows, 'empty.txt': empty }, calls };
  await store.actions.put(action);
  const node = { key: action.key, outcome: 'run', outputs: action.outputs, bought: replies, cost: 1 } as const;
  const record = { ...sampleBuild('20260101-000000-000-aaaa'), nodes: { 'responses/p0': node } };
  await store.builds.put(record);
  return record;
}

const problemOf = async (work: Promise<unknown>): Promise<ProblemError> => {
  try {
    await work;
  } catch (error) {
    if (error instanceof ProblemError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};
const factsOf = (error: ProblemError) => (error.problems[0]!.facts ?? []).map((fact) => fact.join(': ')).join('\n');

/** The pack anew, each file as `change` wants it; the manifest keeps up, as a forger would see to it. */
function repack(
  pack: string,
  change: (name: string, content: Buffer) => Buffer,
  claim: (manifest: Record<string, unknown>) => unknown = (manifest) => manifest,
): void {
  const blocks: Buffer[] = [];
  const sums = new Map<string, { size: number; sha256: string }>();
  for (const { name, content } of packEntries(pack, () => {})) {
    let bytes = change(name, content);
    if (name === 'manifest.json') {
      const manifest = JSON.parse(content.toString());
      for (const file of manifest.files) Object.assign(file, sums.get(file.name));
      bytes = Buffer.from(`${JSON.stringify(claim(manifest), null, 1)}\n`);
    }
    sums.set(name, { size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') });
    blocks.push(tarHeader(name, bytes.length), bytes, Buffer.alloc(padding(bytes.length)));
  }
  writeFileSync(pack, Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

describe('a pack', () => {
  test('carries what one build depends on, and nothing else, to an empty place', async () => {
    const place = folder();
    const store = open(place);
    const record = await built(store, { rows: LARGE });
    const pack = join(place, 'one.pack');
    const exported = await exportPack(store, record, pack);
    expect(exported).toMatchObject({ replies: 30, failures: 1, actions: 1, blobs: 3 });
    expect(exported.digest).toBe(`sha256:${createHash('sha256').update(readFileSync(pack)).digest('hex')}`);
    expect(readdirSync(place).sort()).toEqual(['.cache', 'one.pack']);

    const other = open(folder());
    const imported = await importPack(other, pack, exported.digest);
    expect(imported).toMatchObject({ record, different: 0, added: { replies: 30, failures: 1, actions: 1, blobs: 3 } });
    expect([...other.builds.list()]).toEqual([record]);
    const key = record.nodes['responses/p0']!.key!;
    expect(other.actions.get(key)).toEqual(store.actions.get(key));
    for (let index = 0; index < 30; index++) {
      expect(other.calls.get(sampleCall(index).key)).toEqual(sampleCall(index).call);
    }
    expect(other.calls.count()).toBe(30);
    for (const ref of other.blobs.scan()) expect(Buffer.compare(other.blobs.read(ref), store.blobs.read(ref))).toBe(0);
    expect((await verifyStore(other)).damaged).toEqual([]);
    // Again: everything is there.
    expect((await importPack(other, pack, undefined)).added).toMatchObject({ replies: 0, actions: 0, blobs: 0 });
    // What was imported packs to the same bytes.
    expect((await exportPack(other, record, join(place, 'two.pack'))).digest).toBe(exported.digest);
  });

  test('brings no bill but its build’s: its answers are in the books of who bought them, also when they are removed here', async () => {
    const from = open(folder());
    const to = open(folder());
    const record = await built(from);
    const file = join(folder(), 'x.pack');
    await exportPack(from, record, file);
    await importPack(to, file, undefined);
    const told = () => {
      const { bill, of } = to.removed.read();
      const purchases = {
        replies: to.calls.scan(),
        failures: to.calls.scanFailures(),
        superseded: to.calls.scanSuperseded(),
        unresolved: [],
      };
      return addBills(bill, unrecordedPurchases([], purchases, of).bill);
    };
    expect(to.calls.count()).toBeGreaterThan(0);
    expect(told()).toEqual({ bought: 0, cost: 0, unknown: 0 });
    const own = sampleCall(7000);
    await to.calls.put(own.key, { ...own.call, cost: 3 });
    expect(told()).toEqual({ bought: 1, cost: 3, unknown: 0 });
    await collect(to, { keepBuilds: 0, maxBytes: undefined, dryRun: false });
    expect(to.calls.count()).toBe(0);
    expect(told()).toEqual({ bought: 1, cost: 3, unknown: 0 });
  });

  test('leaves what is there already as it is', async () => {
    const place = folder();
    const store = open(place);
    const pack = join(place, 'one.pack');
    await exportPack(store, await built(store), pack);
    const other = open(folder());
    const { key, call } = sampleCall(3);
    await other.calls.put(key, { ...call, raw: '{"mine":1}' });
    expect(await importPack(other, pack, undefined)).toMatchObject({ different: 1, added: { replies: 29 } });
    expect(other.calls.get(key)?.raw).toBe('{"mine":1}');
  });

  test('carries the answers that were superseded, and what was superseded here is no difference', async () => {
    const place = folder();
    const store = open(place);
    const { key, call } = sampleCall(3);
    const record = await built(store);
    const first = join(place, 'first.pack');
    await exportPack(store, record, first);
    await Promise.all([store.calls.supersede(key), store.calls.put(key, { ...call, raw: '{"again":1}' })]);
    const pack = join(place, 'one.pack');
    expect(await exportPack(store, record, pack)).toMatchObject({ replies: 30, superseded: 1 });
    // The earlier pack holds nothing that is not in the history here.
    expect(await importPack(store, first, undefined)).toMatchObject({ different: 0, added: { replies: 0 } });

    const other = open(folder());
    expect(await importPack(other, pack, undefined)).toMatchObject({ added: { replies: 30, superseded: 1 } });
    expect(other.calls.get(key)?.raw).toBe('{"again":1}');
    expect(other.calls.superseded(key)).toEqual([{ type: 'reply', ...call }]);
    expect((await verifyStore(other)).damaged).toEqual([]);
    // Where the earlier answer is what is kept, it stays, and no history ends in it.
    const kept = open(folder());
    await importPack(kept, first, undefined);
    expect(await importPack(kept, pack, undefined)).toMatchObject({ different: 1, added: { superseded: 0 } });
    expect(kept.calls.get(key)?.raw).toBe(call.raw);
    expect(kept.calls.superseded(key)).toEqual([]);
  });

  test('of version 1 is read as ever', async () => {
    const place = folder();
    const store = open(place);
    const pack = join(place, 'one.pack');
    await exportPack(store, await built(store), pack);
    repack(
      pack,
      (name, content) => (name === 'pack.json' ? Buffer.from('{"type":"cje-pack","version":1}\n') : content),
      ({ superseded, ...manifest }) => {
        expect(superseded).toBe(0);
        return { ...manifest, version: 1 };
      },
    );
    const other = open(folder());
    expect(await importPack(other, pack, undefined)).toMatchObject({ added: { replies: 30, superseded: 0 } });
  });

  test('tells nothing of a try that an earlier build left open, whose money stays unknown', async () => {
    const place = folder();
    const store = open(place);
    const pack = join(place, 'one.pack');
    await exportPack(store, await built(store), pack);
    const other = open(folder());
    const { key: call, call: answer } = sampleCall(3);
    const intent = { call, identity: answer.identity, model: answer.model, node: answer.node, dollars: 0.2, at: 5 };
    await other.intents.open({ id: 'left/5/0', intent });
    await importPack(other, pack, undefined);
    expect(unresolvedIntents(other.intents, other.calls)).toEqual([
      { id: 'left/5/0', intent: { ...intent, unknown: true } },
    ]);
  });

  test('is not made of a build that is no longer whole', async () => {
    const place = folder();
    const store = open(place);
    const record = await built(store);
    const pack = join(place, 'one.pack');
    await store.database.remove('calls', [sampleCall(1).key, sampleCall(2).key]);
    expect(factsOf(await problemOf(exportPack(store, record, pack)))).toContain('2 of 31 replies');
    const action = store.actions.get(record.nodes['responses/p0']!.key!)!;
    await store.actions.put({ ...action, outputs: { 'rows.jsonl': action.outputs['empty.txt']! } });
    expect(factsOf(await problemOf(exportPack(store, record, pack)))).toContain('responses/p0 (no longer as it was)');
    await store.database.remove('actions', [record.nodes['responses/p0']!.key!]);
    expect(factsOf(await problemOf(exportPack(store, record, pack)))).toContain('responses/p0');
    expect(readdirSync(place)).toEqual(['.cache']);
  });
});

describe('a pack that is not what it was', () => {
  test('is refused whole, whichever byte is changed or missing', async () => {
    const place = folder();
    const store = open(place);
    const pack = join(place, 'one.pack');
    const { digest } = await exportPack(store, await built(store, { replies: 8 }), pack);
    const sound = readFileSync(pack);
    const empty = folder();
    const other = open(empty);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(sound.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        async (at, mask, cut) => {
          const bytes = cut ? sound.subarray(0, at) : Buffer.from(sound);
          if (!cut) bytes[at] = bytes[at]! ^ mask;
          writeFileSync(pack, bytes);
          expect((await problemOf(importPack(other, pack, digest))).exit).toBe(5);
          expect([2, 5]).toContain((await problemOf(importPack(other, pack, undefined))).exit);
        },
      ),
      { numRuns: 60 },
    );
    // The ends of the first header's own sum: a reader of numbers would skip them.
    for (const at of [148, 154, 155]) {
      const bytes = Buffer.from(sound);
      bytes[at] = bytes[at]! ^ 0x10;
      writeFileSync(pack, bytes);
      expect([2, 5]).toContain((await problemOf(importPack(other, pack, undefined))).exit);
    }
    expect(readdirSync(empty)).toEqual([]);
    writeFileSync(pack, sound);
    expect(await importPack(other, pack, digest)).toMatchObject({ added: { replies: 8 } });
  });

  test('is found damaged in the words of its manifest too', async () => {
    const place = folder();
    const store = open(place);
    const pack = join(place, 'one.pack');
    await exportPack(store, await built(store, { replies: 8 }), pack);
    const sound = readFileSync(pack);
    for (const word of ['"experiment": "', '"build": "', '"replies": ', '"size": ']) {
      const bytes = Buffer.from(sound);
      const at = bytes.lastIndexOf(word) + word.length;
      bytes[at] = bytes[at]! ^ 1;
      writeFileSync(pack, bytes);
      const problem = await problemOf(importPack(open(folder()), pack, undefined));
      expect([problem.exit, factsOf(problem)]).toEqual([5, expect.stringContaining('manifest.json')]);
    }
  });

  test('names what is damaged', async () => {
    const place = folder();
    const store = open(place);
    const pack = join(place, 'one.pack');
    const record = await built(store, { rows: LARGE });
    await exportPack(store, record, pack);
    const { digest } = record.nodes['responses/p0']!.outputs['rows.jsonl']!;
    const sound = readFileSync(pack);
    const spoil = (name: string, shift: number) => {
      const bytes = Buffer.from(sound);
      const at = bytes.indexOf(name) + 512 + shift;
      bytes[at] = bytes[at]! ^ 0x10;
      writeFileSync(pack, bytes);
    };
    const other = open(folder());
    for (const name of [
      `blobs/${digest}.00001.gz`,
      'calls/00000.jsonl.gz',
      'actions/00000.jsonl.gz',
      'build.json.gz',
    ]) {
      spoil(name, 30);
      const problem = await problemOf(importPack(other, pack, undefined));
      expect(problem.exit).toBe(5);
      expect(factsOf(problem)).toContain(name.slice(0, 30));
    }
    expect(other.calls.count()).toBe(0);
  });

  test('is caught where the manifest was forged to match: replies by their keys, outputs by their names', async () => {
    const place = folder();
    const store = open(place);
    const pack = join(place, 'one.pack');
    const { digest } = await exportPack(store, await built(store), pack);
    const other = open(folder());
    const lines = (content: Buffer, edit: (text: string) => string) => gzipSync(edit(gunzipSync(content).toString()));
    repack(pack, (name, content) =>
      name.startsWith('calls/') ? lines(content, (text) => text.replace('Frage 4:', 'Frage 5:')) : content,
    );
    expect(factsOf(await problemOf(importPack(other, pack, undefined)))).toContain('calls/00000.jsonl.gz');
    await exportPack(store, [...store.builds.list()][0]!, pack);
    repack(pack, (name, content) =>
      name.startsWith('blobs/') ? lines(content, (text) => text.replace('zzz', 'zzy')) : content,
    );
    expect(factsOf(await problemOf(importPack(other, pack, undefined)))).toContain('blobs/');
    // A forged answer has no digest of its own to break: that is what --expect is for.
    await exportPack(store, [...store.builds.list()][0]!, pack);
    repack(pack, (name, content) =>
      name.startsWith('calls/') ? lines(content, (text) => text.replace('Antwort 4', 'Antwort 9')) : content,
    );
    expect((await problemOf(importPack(other, pack, digest))).problems[0]!.headline).toContain(
      'not the pack that was expected',
    );
    expect(other.calls.count()).toBe(0);
  });

  test.each([
    ['calls/', '"cost":', '"cast":'],
    ['actions/', '"finishedAt":', '"finishedAs":'],
    ['build.json.gz', '"startedAt":', '"startedAs":'],
  ])('is refused where an entry of %s lacks a field, whatever its manifest says', async (folderName, field, other) => {
    const place = folder();
    const store = open(place);
    const pack = join(place, 'one.pack');
    await exportPack(store, await built(store), pack);
    repack(pack, (name, content) => {
      if (!name.startsWith(folderName)) return content;
      const text = gunzipSync(content).toString();
      expect(text).toContain(field);
      return gzipSync(text.replace(field, other));
    });
    const target = open(folder());
    expect(factsOf(await problemOf(importPack(target, pack, undefined)))).toContain(folderName);
    expect(target.calls.count()).toBe(0);
  });

  test('is told at once from a device that gives zeros without end', async () => {
    const problem = await problemOf(importPack(open(folder()), '/dev/zero', undefined));
    expect(problem.problems[0]!.headline).toMatch(/not a pack/);
  });

  test.each([
    ['a text', 'Some notes, not a pack.\n'.repeat(100)],
    ['nothing', ''],
    [
      'an archive of something else',
      Buffer.concat([tarHeader('notes.txt', 3), Buffer.from('abc'), Buffer.alloc(509 + 1024)]),
    ],
  ])('is told from %s', async (_, content) => {
    const place = folder();
    const pack = join(place, 'one.pack');
    writeFileSync(pack, content);
    const problem = await problemOf(importPack(open(place), pack, undefined));
    expect(problem.exit).toBeGreaterThan(1);
    expect(problem.problems[0]!.headline).toMatch(/not a pack|damaged/);
    rmSync(pack);
    expect((await problemOf(importPack(open(place), pack, undefined))).problems[0]!.headline).toContain(
      'cannot be read',
    );
  });
});
