/**
 * A shared cache in a bucket that speaks S3. Requests are signed by `aws4fetch` and sent through undici, which is slow to
 * load, so this module is imported when a bucket is named.
 */

import { AwsV4Signer } from 'aws4fetch';
import type { Dispatcher } from 'undici';
import { EXIT, ProblemError } from '../core/problem.ts';
import type { Clock } from '../providers/clock.ts';
import { createAgent, type NetworkEnvironment, target } from '../providers/connections.ts';
import { sha256 } from '../store/pack/inspect.ts';
import { inXml, listingOf } from './listing.ts';
import type { ListedObject, ObjectStore } from './object-store.ts';
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

interface BucketParts {
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

interface Reply {
  readonly status: number;
  readonly body: Buffer;
}

interface Sent {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  /** Of an object; absent where the bucket itself is asked. */
  readonly name?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes of the reply that are read. */
  readonly longest: number;
}

export function bucketStore({ address, credentials, clock, environment }: BucketParts): ObjectStore {
  const { bucket, prefix, endpoint, region } = address;
  const place = `s3://${bucket}/${prefix}`;
  const base = baseOf(address);
  const agent = createAgent({ connections: 16, caFile: address.caFile, environment });
  /** Set where the service knows no conditional writes: names are digests, so an object is replaced by itself. */
  let unconditional = false;
  const never = new AbortController().signal;

  const sendOnce = async (sent: Sent): Promise<Reply | { readonly lost: string }> => {
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

  /** What came, after as many tries as it takes. @throws ProblemError where nothing did. */
  const send = async (sent: Sent): Promise<Reply> => {
    for (let attempt = 1; ; attempt++) {
      const reply = await sendOnce(sent);
      const again = 'lost' in reply || reply.status >= 500 || reply.status === 409 || reply.status === 429;
      // 501 says what the service will never do.
      if (!('lost' in reply) && (!again || reply.status === 501)) return reply;
      if (attempt === ATTEMPTS) throw unreachable(place, endpoint, 'lost' in reply ? reply.lost : wordsOf(reply));
      await clock.sleep(FIRST_WAIT * 2 ** (attempt - 1), never);
    }
  };

  return {
    place,
    async list(below) {
      const listed: ListedObject[] = [];
      let token: string | undefined;
      do {
        const query = { 'list-type': '2', prefix: prefix + below, 'encoding-type': 'url' };
        const reply = await send({
          method: 'GET',
          query: token === undefined ? query : { ...query, 'continuation-token': token },
          longest: 1 << 24,
        });
        if (reply.status !== 200) throw refused(place, reply);
        const page = listingOf(reply.body.toString());
        for (const object of page.objects) {
          if (object.name.startsWith(prefix)) listed.push({ ...object, name: object.name.slice(prefix.length) });
        }
        token = page.next;
      } while (token !== undefined);
      return listed;
    },
    async get(name, longest) {
      const reply = await send({ method: 'GET', name, longest: longest + 1 });
      if (reply.status === 404 && inXml(reply.body.toString(), 'Code') !== 'NoSuchBucket') return undefined;
      if (reply.status !== 200) throw refused(place, reply);
      return reply.body;
    },
    async putIfAbsent(name, body) {
      for (;;) {
        const headers = {
          'content-type': 'application/octet-stream',
          ...(unconditional ? {} : { 'if-none-match': '*' }),
        };
        const reply = await send({ method: 'PUT', name, body, headers, longest: 1 << 16 });
        if (reply.status === 412) return 'there';
        if (reply.status === 501 && !unconditional) {
          unconditional = true;
          continue;
        }
        if (reply.status !== 200 && reply.status !== 201 && reply.status !== 204) throw refused(place, reply);
        return 'stored';
      }
    },
    async remove(name) {
      const reply = await send({ method: 'DELETE', name, longest: 1 << 16 });
      if (reply.status >= 300 && reply.status !== 404) throw refused(place, reply);
    },
    close: () => agent.destroy(),
  };
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

function wordsOf({ status, body }: Reply): string {
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

const refused = (place: string, reply: Reply) =>
  new ProblemError(
    {
      id: 'CJE-REMOTE-REFUSED',
      headline: `the shared cache does not let us in: ${place}`,
      facts: [['it says', wordsOf(reply)]],
      hint: 'check `url`, `endpoint` and `region` in cje.remote.yaml, and the credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, `profile`, or `key_command`',
    },
    EXIT.failed,
  );
