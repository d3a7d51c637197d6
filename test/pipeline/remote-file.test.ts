import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ProblemError } from '../../src/core/problem.ts';
import { readCheckedFile } from '../../src/pipeline/checked-file.ts';
import { remoteFile, workerSettings } from '../../src/pipeline/remote-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'cje-remote-file-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function read(text: string) {
  writeFileSync(join(folder, 'cje.remote.yaml'), text);
  return readCheckedFile(
    { path: 'cje.remote.yaml', option: 'cje.remote.yaml', cwd: folder, secretKeys: ['redis'] },
    remoteFile,
  );
}

const KEY = `ed25519:${'A'.repeat(43)}`;

describe('cje.remote.yaml', () => {
  test.each(['s3://bucket', 's3://bucket/a/b', '/mnt/cache', '../cache', '~/cache', 'file:///mnt/cache'])(
    'takes %s as a place',
    (url) => {
      expect(read(`remote:\n  url: ${url}\n  trusted: ['${KEY} alice']\n`).remote).toMatchObject({
        url,
        pull: 'before',
        region: 'us-east-1',
      });
    },
  );

  test('names a till with what it is held to', () => {
    const { cluster } = read('cluster: { redis: "redis://host:6379/0", account: lab }\n');
    expect(cluster).toMatchObject({ account: 'lab', till: { lease_seconds: 120, buy_again: 1, models: {} } });
  });

  test('hands work out where it says so, and leaves buying to the builds', () => {
    const beside = `remote: { url: /mnt/x, trusted: ['${KEY}'] }\ncluster: { redis: "redis://host", account: lab`;
    const settings = (more: string) => read(`${beside}${more} }\n`).cluster!;
    expect(workerSettings(settings(''))).toBeUndefined();
    expect(settings(', till: false').till).toBe(false);
    const usual = { job_seconds: 15, wait_seconds: 30, lease_seconds: 30 };
    expect(workerSettings(settings(', workers: true'))).toEqual(usual);
    expect(workerSettings(settings(', workers: { wait_seconds: 0 }'))).toEqual({ ...usual, wait_seconds: 0 });
  });

  test.each([
    ['remote:\n  url: s3:/bucket\n  trusted: []\n', ['2:', '3:']],
    [`remote:\n  url: gs://bucket\n  trusted: ['${KEY}']\n`, ['2:']],
    ['remote:\n  url: /mnt/x\n  trusted: [alice]\n', ['3:']],
    [`remote:\n  url: /mnt/x\n  trusted: ['${KEY}']\n  pul: before\n`, ['4:']],
    ['cluster:\n  redis: redis://:secret@host:6379\n  account: lab\n', ['2:']],
    ['cluster:\n  redis: redis://host\n  account: lab\n  workers: true\n', ['4:']],
    ['cluster:\n  redis: redis://host\n  account: lab\n  till:\n    cap: -1\n    lese: 1\n', ['5:', '6:']],
    [
      `remote:\n  url: /mnt/x\n  trusted: ['${KEY}']\ncluster:\n  redis: redis://host\n  account: lab\n  workers: { wait_seconds: x }\n`,
      ['7:'],
    ],
    ['cluster:\n  redis: http://host\n  account: "a b"\n', ['2:', '3:']],
  ])('says what is wrong in %j, and where', (text, places) => {
    let problems: ProblemError['problems'] = [];
    try {
      read(text);
    } catch (error) {
      if (error instanceof ProblemError) problems = error.problems;
    }
    expect(JSON.stringify(problems)).not.toContain('secret');
    expect(problems.map(({ place }) => `${place?.line}:`)).toEqual(places);
  });
});
