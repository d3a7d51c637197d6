/**
 * A shared cache in a bucket that speaks S3. Requests are signed by `aws4fetch` and sent through undici, which is slow to
 * load, so this module is imported when a bucket is named.
 */

import { EXIT, ProblemError } from '../core/problem.ts';
import { inXml, listingOf } from './listing.ts';
import type { ListedObject, ObjectStore } from './object-store.ts';
import { type BucketParts, type S3Reply, s3Requests, wordsOf } from './s3-requests.ts';

export function bucketStore(parts: BucketParts): ObjectStore {
  const { bucket, prefix } = parts.address;
  const place = `s3://${bucket}/${prefix}`;
  const { send, close } = s3Requests(parts, place);
  /** Set where the service knows no conditional writes: names are digests, so an object is replaced by itself. */
  let unconditional = false;

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
    close,
  };
}

const refused = (place: string, reply: S3Reply) =>
  new ProblemError(
    {
      id: 'CJE-REMOTE-REFUSED',
      headline: `the shared cache does not let us in: ${place}`,
      facts: [['it says', wordsOf(reply)]],
      hint: 'check `url`, `endpoint` and `region` in cje.remote.yaml, and the credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, `profile`, or `key_command`',
    },
    EXIT.failed,
  );
