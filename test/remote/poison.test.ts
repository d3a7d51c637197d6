/** What somebody who may write to the place, and is not trusted, can do: be named. */

import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { seal } from '../../src/remote/envelope.ts';
import { folderStore } from '../../src/remote/folder.ts';
import type { ObjectStore } from '../../src/remote/object-store.ts';
import { pull } from '../../src/remote/pull.ts';
import { push } from '../../src/remote/push.ts';
import { LONGEST_INDEX, readIndex } from '../../src/remote/segment-index.ts';
import { keyId, type SigningKey } from '../../src/remote/signing.ts';
import { sha256 } from '../../src/store/pack/inspect.ts';
import { sampleCall } from '../store/sample.ts';
import { fill, NOW, newKey, team } from './support.ts';

const { folder, machine } = team();

interface Scene {
  readonly place: string;
  readonly alice: SigningKey;
  readonly mallory: SigningKey;
  /** Paths of Alice's index and segment. */
  readonly index: string;
  readonly segment: string;
  /** A segment of Mallory's, with a forged answer to the same call. */
  readonly forged: Buffer;
  readonly forgedIndex: Buffer;
}

const only = (path: string) => join(path, readdirSync(path)[0]!);

let made: Promise<Scene> | undefined;

/** A place of its own for each test, as Alice left it. */
async function scene(): Promise<Scene> {
  made ??= makeScene();
  const whole = await made;
  const place = folder();
  cpSync(whole.place, place, { recursive: true });
  return { ...whole, place, index: only(`${place}/index`), segment: only(`${place}/segments`) };
}

async function makeScene(): Promise<Scene> {
  const place = mkdtempSync(join(tmpdir(), 'cje-poison-'));
  const [alice, mallory] = [newKey(), newKey()];
  const one = machine(place, [alice], alice);
  await fill(one.store, 0, 4);
  await push(one.store, one.remote, { all: false });
  const elsewhere = folder();
  const two = machine(elsewhere, [mallory], mallory);
  const { key, call } = sampleCall(1);
  await two.store.calls.put(key, { ...call, raw: '{"forged":1}' });
  await push(two.store, two.remote, { all: false });
  return {
    place,
    alice,
    mallory,
    index: only(`${place}/index`),
    segment: only(`${place}/segments`),
    forged: readFileSync(only(`${elsewhere}/segments`)),
    forgedIndex: readFileSync(only(`${elsewhere}/index`)),
  };
}

const flip = (path: string, at: (length: number) => number) => {
  const bytes = readFileSync(path);
  const index = at(bytes.length);
  bytes[index] = bytes[index]! ^ 0x10;
  writeFileSync(path, bytes);
};
const cut = (path: string, keep: number) => writeFileSync(path, readFileSync(path).subarray(0, keep));
const firstLine = (bytes: Buffer) => bytes.indexOf(0x0a) + 1;

const POISONS: Readonly<Record<string, readonly [(scene: Scene) => void, RegExp]>> = {
  'a flipped byte in the signature': [({ index }) => flip(index, () => 90), /signature|not signed/],
  'a flipped byte in what is signed': [({ index }) => flip(index, (length) => length - 3), /signature/],
  'an index that is cut': [({ index }) => cut(index, 400), /signature/],
  'an index of one line': [({ index }) => cut(index, firstLine(readFileSync(index))), /signature/],
  'an empty index': [({ index }) => cut(index, 0), /not signed/],
  'an index without a signature': [
    ({ index }) => writeFileSync(index, readFileSync(index).subarray(firstLine(readFileSync(index)))),
    /not signed/,
  ],
  'more behind the index': [({ index }) => writeFileSync(index, 'more', { flag: 'a' }), /signature/],
  'the index of a stranger in its place': [
    ({ index, forgedIndex }) => writeFileSync(index, forgedIndex),
    /its writer is not trusted: ed25519:/,
  ],
  'a stranger beside it': [
    ({ place, forged, forgedIndex, mallory }) => {
      writeFileSync(`${place}/segments/${sha256(forged)}.pack`, forged);
      writeFileSync(`${place}/index/${sha256(forged)}.${keyId(mallory.public)}`, forgedIndex);
    },
    /not trusted/,
  ],
  "a stranger under the writer's name": [
    ({ place, forged, forgedIndex, alice, mallory }) => {
      const forgery = forgedIndex.toString('latin1').replace(mallory.public, alice.public);
      writeFileSync(`${place}/index/${sha256(forged)}.${keyId(alice.public)}`, forgery, 'latin1');
      writeFileSync(`${place}/segments/${sha256(forged)}.pack`, forged);
    },
    /signature/,
  ],
  'an index under the name of another segment': [
    ({ place, forged, index, alice }) => {
      writeFileSync(`${place}/segments/${sha256(forged)}.pack`, forged);
      writeFileSync(`${place}/index/${sha256(forged)}.${keyId(alice.public)}`, readFileSync(index));
    },
    /the index of another segment/,
  ],
  'a list of needs as an index': [
    ({ index, alice }) => writeFileSync(index, seal('hold', Buffer.from('{"at":1,"segments":[]}'), alice)),
    /not signed/,
  ],
  'an index of a version to come': [
    ({ index }) => writeFileSync(index, readFileSync(index, 'latin1').replace('cje-index 1', 'cje-index 9'), 'latin1'),
    /newer cje/,
  ],
  'a name that is none': [({ place }) => writeFileSync(`${place}/index/README`, 'hello'), /no index has such a name/],
  'a flipped byte in a segment': [({ segment }) => flip(segment, (length) => length >> 1), /SHA-256/],
  'a flipped byte at its end': [({ segment }) => flip(segment, (length) => length - 1), /SHA-256/],
  'a segment that is cut': [({ segment }) => cut(segment, 1000), /cut short: 1000 of/],
  'an empty segment': [({ segment }) => cut(segment, 0), /cut short/],
  'more behind a segment': [({ segment }) => writeFileSync(segment, 'x', { flag: 'a' }), /more than its index says/],
  'a pipe in place of a segment': [
    ({ segment }) => {
      rmSync(segment);
      execFileSync('mkfifo', [segment]);
    },
    /not a file/,
  ],
  'a pipe in place of an index': [
    ({ index }) => {
      rmSync(index);
      execFileSync('mkfifo', [index]);
    },
    /not a file/,
  ],
  'a folder in place of a segment': [
    ({ segment }) => {
      rmSync(segment);
      mkdirSync(segment);
    },
    /not a file/,
  ],
  'a link in a circle in place of an index': [
    ({ index }) => {
      rmSync(index);
      symlinkSync(index, index);
    },
    /leads nowhere/,
  ],
  'a link to a device in place of a segment': [
    ({ segment }) => {
      rmSync(segment);
      symlinkSync('/dev/zero', segment);
    },
    /not a file/,
  ],
  'a link to a file of the reader in place of an index': [
    ({ index }) => {
      rmSync(index);
      symlinkSync('/etc/passwd', index);
    },
    /not signed/,
  ],
  'a name in capitals, as a file system that folds them may give it': [
    ({ index }) => renameSync(index, join(dirname(index), basename(index).toUpperCase())),
    /no index has such a name/,
  ],
  "a stranger's segment in its place": [
    ({ segment, forged }) => writeFileSync(segment, forged),
    /cut short|more than its index|SHA-256/,
  ],
  'a segment of the same length with other bytes': [
    ({ segment }) => writeFileSync(segment, Buffer.alloc(readFileSync(segment).length, 0x20)),
    /SHA-256/,
  ],
};

afterAll(async () => rmSync((await made)?.place ?? '', { recursive: true, force: true }));

describe('a place that was tampered with', () => {
  test.each(Object.entries(POISONS))('by %s is refused by name, and changes nothing', async (_, [poison, reason]) => {
    const set = await scene();
    poison(set);
    const { store, remote } = machine(set.place, [set.alice]);
    const { refused } = await pull(store, remote);
    expect(refused).toHaveLength(1);
    expect(refused[0]!.reason).toMatch(reason);
    expect(refused[0]!.name).toMatch(/^(index|segments)\//);
    // Either Alice's answer or none, and never another.
    const answer = store.calls.get(sampleCall(1).key);
    expect([undefined, sampleCall(1).call.raw]).toContain(answer?.raw);
    const sound = readdirSync(`${set.place}/index`).length > 1;
    expect(store.calls.count()).toBe(sound ? 5 : 0);
  });

  test('by any change to any byte of an index or a segment', async () => {
    const { place, alice, index, segment } = await scene();
    const reader = machine(place, [alice]);
    for (const path of [index, segment]) {
      const whole = readFileSync(path);
      const property = fc.asyncProperty(
        fc.nat(whole.length - 1),
        fc.integer({ min: 1, max: 255 }),
        async (at, mask) => {
          const bytes = Buffer.from(whole);
          bytes[at] = bytes[at]! ^ mask;
          writeFileSync(path, bytes);
          if (path === index) expect(readIndex(`index/${path.split('/').at(-1)}`, bytes, () => true).ok).toBe(false);
          else expect((await pull(reader.store, reader.remote)).refused).toHaveLength(1);
        },
      );
      await fc.assert(property, { numRuns: path === index ? 200 : 10 });
      writeFileSync(path, whole);
    }
    expect(reader.store.calls.count()).toBe(0);
    expect(await pull(reader.store, reader.remote)).toMatchObject({ refused: [], added: { replies: 5 } });
  });

  test('by names that lead elsewhere, and by sizes beyond all use', async () => {
    const { place, alice } = await scene();
    const plain = folderStore(place);
    const asked: string[] = [];
    const hostile: ObjectStore = {
      ...plain,
      list: async () => [
        { name: 'index/../../home/me/.ssh/id', bytes: 10, modified: NOW },
        { name: `index/${'b'.repeat(64)}.${'c'.repeat(16)}`, bytes: LONGEST_INDEX + 1, modified: NOW },
      ],
      get: (name, longest) => {
        asked.push(name);
        return plain.get(name, longest);
      },
    };
    const { store, remote } = machine(hostile, [alice]);
    const { refused } = await pull(store, remote);
    expect(refused.map(({ reason }) => reason)).toEqual(['no index has such a name', 'it is too long for an index']);
    expect(asked).toEqual([]);
  });

  test('by an old index that stands again: its segment is gone, and nothing is believed without it', async () => {
    const { place, alice, segment } = await scene();
    renameSync(segment, join(folder(), 'elsewhere'));
    const { store, remote } = machine(place, [alice]);
    expect(await pull(store, remote)).toMatchObject({ gone: 1, segments: 0, refused: [] });
  });

  test('is believed no longer by a key that was taken from the list, also what was seen before', async () => {
    const { place, alice } = await scene();
    const reader = machine(place, [alice]);
    await pull(reader.store, reader.remote);
    const strict = { ...reader.remote, trusted: new Set([newKey().public]) };
    expect((await pull(reader.store, strict)).refused.map(({ reason }) => reason)).toEqual([
      `its writer is not trusted: ${alice.public}`,
    ]);
  });

  test('where a name is taken by something else, the writer is told', async () => {
    const { place, alice, segment } = await scene();
    writeFileSync(segment, 'not what was written');
    renameSync(only(`${place}/index`), join(folder(), 'index'));
    const one = machine(place, [alice], alice);
    await fill(one.store, 0, 4);
    await expect(push(one.store, one.remote, { all: false })).rejects.toThrow(/something else stands/);
  });
});
