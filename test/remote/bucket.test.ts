import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { listingOf } from '../../src/remote/listing.ts';
import { pull } from '../../src/remote/pull.ts';
import { push } from '../../src/remote/push.ts';
import { bucketStore } from '../../src/remote/s3.ts';
import { s3Credentials } from '../../src/remote/s3-credentials.ts';
import { type Bucket, startBucket } from '../servers/bucket.ts';
import { fill, NOW, newKey, team } from './support.ts';

const { machine } = team();
let bucket: Bucket;
const slept: number[] = [];

beforeEach(async () => {
  bucket = await startBucket('lab');
  slept.length = 0;
});
afterEach(() => bucket.close());

const storeOf = (prefix = 'team/', name = 'lab') =>
  bucketStore({
    address: { bucket: name, prefix, endpoint: bucket.url, region: 'auto' },
    credentials: async () => ({ accessKeyId: 'id', secretAccessKey: 'secret' }),
    clock: { now: () => NOW, sleep: async (ms) => void slept.push(ms) },
    environment: {},
  });

describe('a bucket', () => {
  test('carries a cache from one machine to another, over pages of listings', async () => {
    const alice = newKey();
    const one = machine(storeOf(), [alice], alice);
    for (const from of [0, 100, 200]) {
      await fill(one.store, from, 3);
      await push(one.store, one.remote, { all: false });
    }
    const two = machine(storeOf(), [alice]);
    expect(await pull(two.store, two.remote)).toMatchObject({ segments: 3, added: { replies: 12, actions: 3 } });
    expect([...bucket.objects.keys()].every((name) => name.startsWith('team/'))).toBe(true);
    expect(bucket.requests.filter((request) => request.includes('continuation-token')).length).toBeGreaterThan(0);
  });

  test('is never written over, and says so', async () => {
    const objects = storeOf();
    expect(await objects.putIfAbsent('a', Buffer.from('one'))).toBe('stored');
    expect(await objects.putIfAbsent('a', Buffer.from('two'))).toBe('there');
    expect((await objects.get('a', 100))?.toString()).toBe('one');
    expect(await objects.get('b', 100)).toBeUndefined();
    await objects.remove('a');
    await objects.remove('a');
    expect(await objects.get('a', 100)).toBeUndefined();
    await objects.close();
  });

  test('that knows no conditional writes is written to all the same', async () => {
    bucket.unconditional = true;
    expect(await storeOf().putIfAbsent('a', Buffer.from('one'))).toBe('stored');
    expect(bucket.objects.get('team/a')?.toString()).toBe('one');
  });

  test('that stumbles is asked again, with longer waits, and given up in the end', async () => {
    const objects = storeOf();
    bucket.failures.push(503, 409, 500);
    expect(await objects.putIfAbsent('a', Buffer.from('one'))).toBe('stored');
    expect(slept).toEqual([200, 400, 800]);
    slept.length = 0;
    bucket.failures.push(429);
    expect(await objects.putIfAbsent('b', Buffer.from('two'))).toBe('stored');
    // What it will never do is asked for once.
    bucket.failures.push(501);
    await expect(objects.get('a', 10)).rejects.toThrow(/does not let us in/);
    expect(slept).toEqual([200]);
    bucket.failures.push(503, 503, 503, 503, 503);
    await expect(objects.get('a', 10)).rejects.toThrow(/cannot be reached/);
    await bucket.close();
    await expect(objects.list('index/')).rejects.toThrow(/cannot be reached/);
    bucket = await startBucket('lab');
  });

  test('that refuses says why, and what it says holds no credential', async () => {
    bucket.failures.push(403);
    const refusal = await storeOf()
      .get('a', 10)
      .catch((error: unknown) => error);
    expect(JSON.stringify(refusal)).toMatch(/CJE-REMOTE-REFUSED.*Misbehaves \(403\)/);
    expect(JSON.stringify(refusal)).not.toContain('secret"');
    // A bucket that does not exist is not an object that does not exist.
    await expect(storeOf('', 'other').get('a', 10)).rejects.toThrow(/does not let us in/);
  });

  test('that cuts or turns bytes on the way is refused by name', async () => {
    const alice = newKey();
    const one = machine(storeOf(), [alice], alice);
    await fill(one.store, 0, 3);
    await push(one.store, one.remote, { all: false });
    const spoilers: ((body: Buffer) => Buffer)[] = [
      (body) => body.subarray(0, body.length >> 1),
      (body) => Buffer.from(body.map((byte, at) => (at === body.length >> 1 ? byte ^ 1 : byte))),
      (body) => Buffer.concat([body, Buffer.from('more')]),
    ];
    for (const part of ['segments/', 'index/']) {
      for (const spoil of spoilers) {
        bucket.spoil = (name, body) => (name.includes(part) ? spoil(body) : body);
        const two = machine(storeOf(), [alice]);
        const { refused } = await pull(two.store, two.remote);
        expect(refused.map(({ name }) => name.slice(0, part.length))).toEqual([part]);
        expect(two.store.calls.count()).toBe(0);
      }
    }
  });

  test('lists names as they are, escaped or encoded', () => {
    const xml = (encoding: string, key: string) =>
      `<ListBucketResult>${encoding}<Contents><Key>${key}</Key><Size>3</Size></Contents></ListBucketResult>`;
    const names = [xml('', 'a&amp;&#x62;c'), xml('<EncodingType>url</EncodingType>', 'a%26b+c'), xml('', 'a%zz')];
    expect(names.map((text) => listingOf(text).objects[0]?.name)).toEqual(['a&bc', 'a&b c', 'a%zz']);
  });
});

describe('credentials of a bucket', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cje-aws-'));
  afterEach(() => rmSync(join(folder, 'credentials'), { force: true }));
  const file = join(folder, 'credentials');
  const of = (variables: Record<string, string>, more: { profile?: string; keyCommand?: string } = {}) =>
    s3Credentials({
      profile: more.profile,
      keyCommand: more.keyCommand,
      secrets: (name) => ({ AWS_SHARED_CREDENTIALS_FILE: file, ...variables })[name],
      run: async (command) => ({ ok: true, output: String(command) }),
    });

  test('come from the environment, a profile or a command', async () => {
    writeFileSync(
      file,
      '[default]\naws_access_key_id = d\naws_secret_access_key=ds\n\n[lab]\r\naws_access_key_id=l\r\naws_secret_access_key = ls=\r\naws_session_token = lt\r\n',
    );
    const environment = { AWS_ACCESS_KEY_ID: ' e ', AWS_SECRET_ACCESS_KEY: 'es' };
    expect(await of(environment)).toEqual({ accessKeyId: 'e', secretAccessKey: 'es' });
    expect(await of({})).toEqual({ accessKeyId: 'd', secretAccessKey: 'ds' });
    const lab = { accessKeyId: 'l', secretAccessKey: 'ls=', sessionToken: 'lt' };
    expect(await of({ AWS_PROFILE: 'lab' })).toEqual(lab);
    expect(await of(environment, { profile: 'lab' })).toEqual(lab);
    const printed = '{"Version":1,"AccessKeyId":"c","SecretAccessKey":"cs","SessionToken":"ct"}';
    expect(await of(environment, { keyCommand: printed })).toEqual({
      accessKeyId: 'c',
      secretAccessKey: 'cs',
      sessionToken: 'ct',
    });
  });

  test('that are not there are asked for, and what was found is not told', async () => {
    await expect(of({})).rejects.toThrow(/no credentials/);
    const said = await of({}, { keyCommand: '{"AccessKeyId":"topsecret"}' }).catch((error: unknown) => error);
    expect(JSON.stringify(said)).toContain('key_command printed no JSON');
    expect(JSON.stringify(said)).not.toContain('topsecret');
  });
});
