/** A shared cache in a bucket of somebody else's server, which checks every signature. */

import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignatureV4 } from '@smithy/signature-v4';
import { AwsV4Signer } from 'aws4fetch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Project, removeProject, shippedProject } from '../helpers/project.ts';

interface S3Server {
  run(): Promise<AddressInfo>;
  close(): Promise<void>;
}
const S3rver = createRequire(import.meta.url)('@20minutes/s3rver') as new (options: object) => S3Server;

const TARGET = 'prompts';

type SourceData = string | ArrayBuffer | ArrayBufferView;

/** SHA-256 in the shape that the signer wants. */
class Sha256 {
  readonly #hash: Hash | Hmac;

  constructor(secret?: SourceData) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret));
  }
  update(data: SourceData): void {
    this.#hash.update(bytesOf(data));
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
  reset(): void {}
}

const bytesOf = (data: SourceData): Uint8Array =>
  typeof data === 'string'
    ? Buffer.from(data)
    : data instanceof ArrayBuffer
      ? new Uint8Array(data)
      : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

describe('a bucket of another server', () => {
  let server: S3Server;
  let folder: string;
  let url: string;
  const projects: Project[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'cje-s3-'));
    server = new S3rver({
      port: 0,
      address: '127.0.0.1',
      silent: true,
      directory: folder,
      configureBuckets: [{ name: 'lab' }],
    });
    url = `http://127.0.0.1:${(await server.run()).port}`;
  });
  afterAll(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
    projects.forEach(removeProject);
  });

  /** A machine: a project, a home and credentials of the server's own account. */
  const machine = (trusted: string, secret = 'S3RVER') => {
    const project = shippedProject({ samples: 20 });
    projects.push(project);
    const variables = {
      HOME: project.folder,
      XDG_CONFIG_HOME: '',
      AWS_ACCESS_KEY_ID: 'S3RVER',
      AWS_SECRET_ACCESS_KEY: secret,
      NO_PROXY: '127.0.0.1',
    };
    const settings = (key: string) =>
      project.write(
        'cje.remote.yaml',
        `remote:\n  url: s3://lab/some team\n  endpoint: ${url}\n  trusted: ['${key}']\n`,
      );
    const run = (...args: string[]) => {
      const child = project.start(args, variables);
      let [stdout, stderr] = ['', ''];
      child.stdout?.on('data', (chunk) => (stdout += chunk));
      child.stderr?.on('data', (chunk) => (stderr += chunk));
      return new Promise<{ exit: number | null; stdout: string; stderr: string }>((resolve) =>
        child.on('close', (exit) => resolve({ exit, stdout, stderr })),
      );
    };
    if (trusted !== '') settings(trusted);
    return { project, settings, run };
  };

  it('takes and gives what is signed rightly, and nothing that is not', async () => {
    const one = machine('');
    const key = (await one.run('cache', 'keygen')).stdout.trim().split('\n').at(-1)!;
    one.settings(key);
    expect((await one.run('build', TARGET, '--json')).exit).toBe(0);
    const given = await one.run('cache', 'push', '--json');
    expect(JSON.parse(given.stdout)).toMatchObject({ type: 'cache-pushed', segments: 1, refused: [] });

    const two = machine(key);
    expect(JSON.parse((await two.run('cache', 'pull', '--json')).stdout)).toMatchObject({
      segments: 1,
      added: { actions: JSON.parse(given.stdout).actions },
      refused: [],
    });
    const wrong = machine(key, 'not the secret');
    const refused = await wrong.run('cache', 'pull');
    expect([refused.exit, refused.stderr]).toEqual([1, expect.stringContaining('SignatureDoesNotMatch')]);
    // A build goes on without it.
    const built = await wrong.run('build', TARGET, '--json');
    expect(built.stdout).toMatch(/"type":"note".*the build goes on with what is here/);
    expect(built.exit).toBe(0);
  });

  it.each([
    ['a list', 'https://s3.eu-west-1.amazonaws.com/lab/?list-type=2&prefix=a%2Fb%20c&continuation-token=x%3D%2B'],
    ['an object with odd letters', 'https://lab.s3.eu-west-1.amazonaws.com/some%20team/%C3%A9/index/0a.1b'],
  ])('is asked for %s with the signature that Amazon’s own signer makes', async (_, address) => {
    const body = createHash('sha256').update('').digest('hex');
    const date = '20260102T030405Z';
    const ours = await new AwsV4Signer({
      url: address,
      accessKeyId: 'AKID',
      secretAccessKey: 'secret',
      service: 's3',
      region: 'eu-west-1',
      datetime: date,
      headers: { 'x-amz-content-sha256': body },
    }).sign();
    const target = new URL(address);
    const signer = new SignatureV4({
      credentials: { accessKeyId: 'AKID', secretAccessKey: 'secret' },
      service: 's3',
      region: 'eu-west-1',
      sha256: Sha256,
      uriEscapePath: false,
    });
    const theirs = await signer.sign(
      {
        method: 'GET',
        protocol: target.protocol,
        hostname: target.hostname,
        path: target.pathname,
        query: Object.fromEntries(target.searchParams),
        headers: { host: target.host, 'x-amz-content-sha256': body },
      } as Parameters<typeof signer.sign>[0],
      { signingDate: new Date('2026-01-02T03:04:05Z') },
    );
    expect(ours.headers.get('authorization')?.replaceAll(', ', ',')).toBe(
      (theirs as { headers: Record<string, string> }).headers.authorization?.replaceAll(', ', ','),
    );
  });
});
