/** A bucket that speaks the part of S3 that a shared cache needs, conditional writes included, and that can misbehave. */

import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Bucket {
  readonly url: string;
  readonly objects: Map<string, Buffer>;
  /** Every request as `METHOD path?query`. */
  readonly requests: string[];
  /** Statuses that the next requests are answered with, whatever they ask. */
  readonly failures: number[];
  /** Changes a body on its way out. */
  spoil: (name: string, body: Buffer) => Buffer;
  /** True: knows no `If-None-Match` and says 501. */
  unconditional: boolean;
  close(): Promise<void>;
}

/** Objects on a page of a listing: few, so that every test turns pages. */
const PAGE = 2;

export async function startBucket(name: string): Promise<Bucket> {
  const objects = new Map<string, Buffer>();
  const server = createServer(async (request, response) => {
    const body = await bodyOf(request);
    bucket.requests.push(`${request.method} ${request.url}`);
    const answer = (status: number, content: string | Buffer = '') => response.writeHead(status).end(content);
    const url = new URL(request.url ?? '', 'http://bucket');
    const failure = bucket.failures.shift();
    if (failure !== undefined) return answer(failure, `<Error><Code>Misbehaves</Code></Error>`);
    if (!/^AWS4-HMAC-SHA256 Credential=/.test(request.headers.authorization ?? '')) return answer(403);
    const path = decodeURIComponent(url.pathname);
    if (!`${path}/`.startsWith(`/${name}/`)) return answer(404, '<Error><Code>NoSuchBucket</Code></Error>');
    const key = path.slice(name.length + 2);
    switch (request.method) {
      case 'PUT':
        if (request.headers['if-none-match'] === '*' && bucket.unconditional) return answer(501);
        if (request.headers['if-none-match'] === '*' && objects.has(key)) return answer(412);
        objects.set(key, body);
        return answer(200);
      case 'DELETE':
        objects.delete(key);
        return answer(204);
      default: {
        if (key === '') return answer(200, listing(objects, url.searchParams));
        const content = objects.get(key);
        return content === undefined
          ? answer(404, '<Error><Code>NoSuchKey</Code></Error>')
          : answer(200, bucket.spoil(key, content));
      }
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bucket: Bucket = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    objects,
    requests: [],
    failures: [],
    spoil: (_, body) => body,
    unconditional: false,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return bucket;
}

function listing(objects: ReadonlyMap<string, Buffer>, query: URLSearchParams): string {
  const after = query.get('continuation-token') ?? '';
  const names = [...objects.keys()].filter((key) => key.startsWith(query.get('prefix') ?? '')).sort();
  const rest = names.filter((key) => key > after);
  const page = rest.slice(0, PAGE);
  const contents = page.map(
    (key) =>
      `<Contents><Key>${encodeURIComponent(key)}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>` +
      `<Size>${objects.get(key)!.length}</Size></Contents>`,
  );
  const more = rest.length > PAGE;
  return (
    `<?xml version="1.0"?><ListBucketResult><EncodingType>url</EncodingType><IsTruncated>${more}</IsTruncated>` +
    `${more ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : ''}${contents.join('')}</ListBucketResult>`
  );
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
