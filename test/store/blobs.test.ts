import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { digestBytes, digestText } from '../../src/core/digest.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { ProblemError } from '../../src/core/problem.ts';
import { DamageError, type OutputRef } from '../../src/core/storage.ts';
import { readLines } from '../../src/store/blobs/lines.ts';
import { type Disk, nodeDisk } from '../../src/store/disk/disk.ts';
import type { LocalStore } from '../../src/store/store.ts';
import { workshop } from './support.ts';

const { folder, open } = workshop();

const jsonLines = (rows: readonly unknown[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const temporaries = (place: string) => readdirSync(join(place, '.cache', 'temporary'));

describe('writing', () => {
  test('a blob lies under its digest, and nothing temporary stays', async () => {
    const place = folder();
    const store = open(place);
    const ref = await store.blobs.put('Zeile ☃\n');
    expect(ref).toEqual({ digest: digestText('Zeile ☃\n'), size: 10 });
    const path = store.blobs.locate(ref)!;
    expect(path).toBe(join(place, '.cache', 'blobs', ref.digest.slice(0, 2), ref.digest));
    expect(readFileSync(path, 'utf8')).toBe('Zeile ☃\n');
    expect(temporaries(place)).toEqual([]);
    expect([...store.blobs.scan()]).toEqual([ref]);
  });

  test('the digest is that of the bytes, in whatever pieces they came', async () => {
    const store = open(folder());
    const piece = fc.oneof(fc.string({ unit: 'grapheme' }), fc.uint8Array());
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 20 }), async (pieces) => {
        const whole = Buffer.concat(pieces.map((each) => Buffer.from(each as string)));
        const writer = store.blobs.writer();
        for (const each of pieces) writer.write(each);
        const ref = await writer.finish();
        expect(ref).toEqual({ digest: digestBytes(whole), size: whole.length });
        expect(Buffer.from(store.blobs.read(ref)).equals(whole)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  test('pieces larger than the buffer, texts and bytes, keep their order', async () => {
    const store = open(folder());
    const pieces = ['a'.repeat(700_000), Buffer.alloc(3_000_000, 'b'), 'ü'.repeat(900_000), 'end'];
    const writer = store.blobs.writer();
    for (const each of pieces) writer.write(each);
    const ref = await writer.finish();
    const whole = Buffer.concat(pieces.map((each) => Buffer.from(each as string)));
    expect(Buffer.from(store.blobs.read(ref)).equals(whole)).toBe(true);
  });

  test('a disk that takes few bytes at a time gets them all', async () => {
    const slow: Disk = {
      ...nodeDisk,
      writeSync: ((descriptor: number, bytes: Uint8Array, offset: number, length: number) =>
        nodeDisk.writeSync(descriptor, bytes, offset, Math.min(length, 3))) as never,
    };
    const store = open(folder(), { disk: slow });
    const ref = await store.blobs.put('longer than three bytes');
    expect(Buffer.from(store.blobs.read(ref)).toString()).toBe('longer than three bytes');
  });

  test('bytes are flushed before the rename, and the folder after it', async () => {
    const steps: string[] = [];
    const disk: Disk = {
      ...nodeDisk,
      flush: (descriptor) => {
        steps.push(nodeDisk.fstatSync(descriptor).isDirectory() ? 'flush folder' : 'flush file');
        return nodeDisk.flush(descriptor);
      },
      renameSync: (from, to) => {
        steps.push('rename');
        nodeDisk.renameSync(from, to);
      },
    };
    const store = open(folder(), { disk });
    await store.blobs.put('x');
    expect(steps).toEqual(['flush file', 'rename', 'flush folder', 'flush folder']);
    await store.blobs.put('x');
    expect(steps.slice(4)).toEqual(['flush file']);
  });

  test('a blob that is there already is kept; one that is damaged is replaced', async () => {
    const place = folder();
    const store = open(place);
    const ref = await store.blobs.put('same bytes');
    const path = store.blobs.locate(ref)!;
    const { ino } = statSync(path);
    await store.blobs.put('same bytes');
    expect(statSync(path).ino).toBe(ino);
    writeFileSync(path, 'sane bytes');
    await store.blobs.put('same bytes');
    expect(Buffer.from(store.blobs.read(ref)).toString()).toBe('same bytes');
    expect(temporaries(place)).toEqual([]);
  });

  test('many at once', async () => {
    const store = open(folder());
    const refs = await Promise.all(Array.from({ length: 60 }, (_, index) => store.blobs.put(`row ${index % 40}\n`)));
    refs.forEach((ref, index) => {
      expect(Buffer.from(store.blobs.read(ref)).toString()).toBe(`row ${index % 40}\n`);
    });
    expect([...store.blobs.scan()].length).toBe(40);
  });

  test('an abandoned blob leaves nothing', () => {
    const place = folder();
    const store = open(place);
    const writer = store.blobs.writer();
    writer.write(Buffer.alloc(5_000_000));
    expect(temporaries(place).length).toBe(1);
    writer.abandon();
    writer.abandon();
    expect(temporaries(place)).toEqual([]);
    expect([...store.blobs.scan()]).toEqual([]);
    expect(() => writer.write('more')).toThrow(/^Internal error/);
  });

  test.each(['openSync', 'writeSync', 'flush', 'mkdirSync', 'renameSync'] as const)(
    'a disk that fails at %s is a problem with exit 1; nothing false is in place and the next try works',
    async (step) => {
      const place = folder();
      let failing = false;
      const full = () => Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
      const original = nodeDisk[step] as (...args: unknown[]) => unknown;
      const failingStep = (...args: unknown[]) => {
        if (!failing || (step === 'openSync' && args[1] !== 'wx')) return original(...args);
        if (step === 'flush') return Promise.reject(full());
        throw full();
      };
      const store = open(place, { disk: { ...nodeDisk, [step]: failingStep } });
      failing = true;
      const error = await store.blobs.put('bytes').then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(ProblemError);
      expect((error as ProblemError).exit).toBe(1);
      expect((error as ProblemError).problems[0]!.headline).toMatch(/^no space left for the cache folder: /);
      expect([...store.blobs.scan()]).toEqual([]);
      failing = false;
      expect(Buffer.from(store.blobs.read(await store.blobs.put('bytes'))).toString()).toBe('bytes');
      expect(temporaries(place)).toEqual([]);
    },
  );

  test('what torn writers left is no blob, and goes when the build lock is taken', async () => {
    const place = folder();
    const store = open(place);
    const ref = await store.blobs.put('whole');
    writeFileSync(join(place, '.cache', 'temporary', '1-0123456789ab'), 'torn');
    writeFileSync(join(place, '.cache', 'blobs', ref.digest.slice(0, 2), 'notes.txt'), 'not ours');
    mkdirSync(join(place, '.cache', 'blobs', 'zz'));
    expect([...store.blobs.scan()]).toEqual([ref]);
    const ours = store.blobs.writer();
    ours.write(Buffer.alloc(2_000_000));
    expect(temporaries(place).length).toBe(2);
    await store.lock.acquire('cje build');
    expect(temporaries(place).length).toBe(1);
    expect((await ours.finish()).size).toBe(2_000_000);
  });
});

describe('rows', () => {
  test('come back as written, whatever they hold and wherever a piece ends', async () => {
    const store = open(folder());
    const row = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ noUnicodeString: false }), {
      maxKeys: 4,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 30 }), async (rows) => {
        const text = jsonLines(rows);
        const ref = await store.blobs.put(text);
        expect([...store.blobs.rows(ref)]).toEqual(
          text
            .split('\n')
            .slice(0, -1)
            .map((line) => JSON.parse(line)),
        );
      }),
      { numRuns: 60 },
    );
  });

  test('lines are the same for every way to cut the bytes', () => {
    const cuts = fc.array(fc.nat({ max: 200 }), { maxLength: 12 });
    const text = fc
      .array(fc.string({ unit: 'grapheme', maxLength: 12 }), { maxLength: 12 })
      .map((all) => all.join('\n'));
    fc.assert(
      fc.property(text, cuts, (whole, places) => {
        const bytes = Buffer.from(whole);
        const edges = [0, ...places.filter((place) => place < bytes.length).sort((a, b) => a - b), bytes.length];
        // One scratch buffer, overwritten as the store's is, so that a line kept by reference would show.
        const scratch = Buffer.alloc(bytes.length);
        const chunks = function* () {
          for (let index = 1; index < edges.length; index++) {
            scratch.fill(0xff);
            const length = bytes.copy(scratch, 0, edges[index - 1], edges[index]);
            if (length > 0) yield scratch.subarray(0, length);
          }
        };
        const expected = bytes.toString().split('\n');
        if (expected.at(-1) === '') expected.pop();
        expect([...readLines(chunks())]).toEqual(expected);
      }),
    );
  });

  test('lines longer than a piece, and a file of many pieces', async () => {
    const store = open(folder());
    const rows: JsonObject[] = Array.from({ length: 3000 }, (_, index) => ({ index, text: `ä${index}`.repeat(200) }));
    rows.splice(1500, 0, { text: '🐢'.repeat(800_000) });
    const ref = await store.blobs.put(jsonLines(rows));
    expect(ref.size).toBeGreaterThan(6_000_000);
    expect([...store.blobs.rows(ref)]).toEqual(rows);
    // Twice at a time, each at its own place.
    const [one, two] = [store.blobs.rows(ref)[Symbol.iterator](), store.blobs.rows(ref)[Symbol.iterator]()];
    for (const row of rows.slice(0, 20)) expect([one.next().value, two.next().value]).toEqual([row, row]);
    one.return?.(undefined);
    two.return?.(undefined);
  });

  test('an empty blob has none, and a last line needs no newline', async () => {
    const store = open(folder());
    expect([...store.blobs.rows(await store.blobs.put(''))]).toEqual([]);
    expect([...store.blobs.rows(await store.blobs.put('{"a":1}\n{"b":2}'))]).toEqual([{ a: 1 }, { b: 2 }]);
  });

  test('a reader that stops early leaves no file open', async () => {
    let balance = 0;
    const disk: Disk = {
      ...nodeDisk,
      openSync: ((...args: Parameters<Disk['openSync']>) => {
        const descriptor = nodeDisk.openSync(...args);
        balance++;
        return descriptor;
      }) as Disk['openSync'],
      closeSync: (descriptor) => {
        balance--;
        nodeDisk.closeSync(descriptor);
      },
    };
    const store = open(folder(), { disk });
    const ref = await store.blobs.put(jsonLines([{ a: 1 }, { a: 2 }, { a: 3 }]));
    for (const row of store.blobs.rows(ref)) if (row.a === 1) break;
    expect(balance).toBe(0);
  });
});

describe('damage', () => {
  const rows = Array.from({ length: 5 }, (_, index) => ({ index, text: 'word' }));

  const harmed = async (harm: (path: string) => void): Promise<{ store: LocalStore; ref: OutputRef }> => {
    const store = open(folder());
    const ref = await store.blobs.put(jsonLines(rows));
    harm(store.blobs.locate(ref)!);
    return { store, ref };
  };
  const flip = (position: number) => (path: string) => {
    const bytes = readFileSync(path);
    bytes[position]! ^= 1;
    writeFileSync(path, bytes);
  };

  test.each([
    ['truncated', (path: string) => truncateSync(path, 30), /30 bytes instead of/],
    ['grown', (path: string) => writeFileSync(path, '{}\n', { flag: 'a' }), /bytes instead of/],
    ['missing', (path: string) => rmSync(path), /missing/],
    ['flipped within a text', flip(20), /digest/],
    ['flipped in its last line', flip(-5 + jsonLines(rows).length), /digest/],
    ['flipped so that it is not JSON', flip(0), /not JSON/],
  ])('%s: neither read nor rows hand it out whole', async (_, harm, reason) => {
    const { store, ref } = await harmed(harm);
    expect(() => store.blobs.read(ref)).toThrow(DamageError);
    const got: JsonObject[] = [];
    const taking = () => {
      for (const row of store.blobs.rows(ref)) got.push(row);
    };
    expect(taking).toThrow(DamageError);
    expect(taking).toThrow(reason);
    expect(taking).toThrow(ref.digest);
    expect(got.length).toBeLessThan(3 * rows.length);
  });

  test('the last row waits for the digest', async () => {
    const { store, ref } = await harmed(flip(20));
    const got: JsonObject[] = [];
    expect(() => {
      for (const row of store.blobs.rows(ref)) got.push(row);
    }).toThrow(DamageError);
    expect(got.length).toBe(rows.length - 1);
  });

  test('locate wants the size to be right', async () => {
    const { store, ref } = await harmed((path) => truncateSync(path, 3));
    expect(store.blobs.locate(ref)).toBeUndefined();
    expect(store.blobs.locate({ ...ref, size: 3 })).toBeDefined();
  });

  test('a reference that is no digest reaches no file', () => {
    const store = open(folder());
    const ref = { digest: '../../../../etc/passwd', size: 10 } as OutputRef;
    expect(store.blobs.locate(ref)).toBeUndefined();
    expect(() => store.blobs.read(ref)).toThrow(DamageError);
  });
});

test('nothing lies behind a file in the place of a folder', () => {
  const file = join(folder(), 'file');
  writeFileSync(file, '');
  const behind = join(file, 'behind');
  expect(nodeDisk.statSync(behind, { throwIfNoEntry: false })).toBeUndefined();
  expect(() => nodeDisk.statSync(behind)).toThrow('ENOTDIR');
  expect(nodeDisk.statSync(file, { throwIfNoEntry: false })?.size).toBe(0);
});
