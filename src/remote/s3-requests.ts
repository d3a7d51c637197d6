/** Requests to a bucket that speaks S3: signed, sent, and tried again while that may help. */

import { AwsV4Signer } from 'aws4fetch';
import type { Dispatcher } from 'undici';
import { EXIT, ProblemError } from '../core/problem.ts';
import type { Clock } from '../providers/clock.ts';
import { createAgent, type NetworkEnvironment, target } from '../providers/connections.ts';
import { sha256 } from '../store/pack/inspect.ts';
import { inXml } from './listing.ts';
import type { S3Credentials } from './s3-credentials.ts';

interface BucketAddress {
  readonly bucket: string;
  /** Empty, or ends in `/`. */
  readonly prefix: string;
  /** Of a service that is not Amazon's; the bucket is then part of the path. */
  readonly endpoint: string | undefined;
  readonly region: string;
  readonly caFile?: string | undefined;
}

export interface BucketParts {
  readonly address: BucketAddress;
  readonly credentials: () => Promise<S3Credentials>;
  readonly clock: Clock;
  readonly environment: NetworkEnvironment;
}

/** Tries in all, and milliseconds before the second; each wait is twice the one before. */
const ATTEMPTS = 5;
const FIRST_WAIT = 200;
/** Milliseconds for a request, and for each megabyte of it besides. */
const PATIENCE = 30_000;
const PATIENCE_PER_MEGABYTE = 5_000;
const LONGEST_ERROR = 1 << 16;

export interface S3Reply {
  readonly status: number;
  readonly body: Buffer;
}

interface S3Request {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  /** Of an object; absent where the bucket itself is asked. */
  readonly name?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes of the reply that are read. */
  readonly longest: number;
}

interface S3Requests {
  /** What came, after as many tries as it takes. @throws ProblemError where nothing did. */
  send(request: S3Request): Promise<S3Reply>;
  close(): Promise<void>;
}

/** @param place how the bucket is called in messages */
export function s3Requests({ address, credentials, clock, environment }: BucketParts, place: string): S3Requests {
  const { prefix, endpoint, region } = address;
  const base = baseOf(address);
  const agent = createAgent({ connections: 16, caFile: address.caFile, environment });
  const never = new AbortController().signal;

  const sendOnce = async (sent: S3Request): Promise<S3Reply | { readonly lost: string }> => {
    const url = new URL(base);
    if (sent.name !== undefined) url.pathname = `${url.pathname.replace(/\/$/, '')}/${prefix}${sent.name}`;
    for (const [name, value] of Object.entries(sent.query ?? {})) url.searchParams.set(name, value);
    const { accessKeyId, secretAccessKey, sessionToken } = await credentials();
    const signed = await new AwsV4Signer({
      method: sent.method,
      url: url.href,
      headers: { 'x-amz-content-sha256': sha256(sent.body ?? Buffer.alloc(0)), ...sent.headers },
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
      service: 's3',
      region,
      datetime: new Date(clock.now()).toISOString().replace(/[:-]|\.\d{3}/g, ''),
    }).sign();
    const megabytes = Math.max(sent.body?.length ?? 0, Math.min(sent.longest, 1 << 30)) / 1e6;
    try {
      const { statusCode, body } = await agent.request({
        ...target(signed.url),
        method: sent.method,
        headers: Object.fromEntries(signed.headers),
        body: sent.body ?? null,
        signal: AbortSignal.timeout(Math.ceil(PATIENCE + megabytes * PATIENCE_PER_MEGABYTE)),
      });
      const longest = statusCode < 300 ? sent.longest : LONGEST_ERROR;
      return { status: statusCode, body: await readAtMost(body, longest) };
    } catch (error) {
      return { lost: error instanceof Error ? error.message : String(error) };
    }
  };

  const send = async (sent: S3Request): Promise<S3Reply> => {
    for (let attempt = 1; ; attempt++) {
      const reply = await sendOnce(sent);
      const again = 'lost' in reply || reply.status >= 500 || reply.status === 409 || reply.status === 429;
      // 501 says what the service will never do.
      if (!('lost' in reply) && (!again || reply.status === 501)) return reply;
      if (attempt === ATTEMPTS) throw unreachable(place, endpoint, 'lost' in reply ? reply.lost : wordsOf(reply));
      await clock.sleep(FIRST_WAIT * 2 ** (attempt - 1), never);
    }
  };

  return { send, close: () => agent.destroy() };
}

/** Amazon wants the bucket in the host's name, others in the path. */
function baseOf({ bucket, endpoint, region }: BucketAddress): string {
  if (endpoint !== undefined) return `${endpoint.replace(/\/+$/, '')}/${bucket}`;
  const host = `s3.${region}.amazonaws.com`;
  return bucket.includes('.') ? `https://${host}/${bucket}` : `https://${bucket}.${host}`;
}

async function readAtMost(body: Dispatcher.ResponseData['body'], longest: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= longest) break;
  }
  return Buffer.concat(chunks).subarray(0, longest);
}

export function wordsOf({ status, body }: S3Reply): string {
  const text = body.toString('utf8', 0, 4096);
  const said = [inXml(text, 'Code'), inXml(text, 'Message')].filter((word) => word !== undefined).join(': ');
  return said === '' ? `status ${status}` : `${said} (${status})`;
}

const unreachable = (place: string, endpoint: string | undefined, reason: string) =>
  new ProblemError(
    {
      id: 'CJE-REMOTE-UNREACHABLE',
      headline: `the shared cache cannot be reached: ${place}`,
      facts: [['reason', reason], ...(endpoint === undefined ? [] : [['endpoint', endpoint] as const])],
      hint: 'what was bought stays in .cache, and a later `cje cache push` carries it',
    },
    EXIT.failed,
  );
