/** Requests about batches: tried again where that is safe, and results that are read line by line. */

import { type BatchStep, ResultsCut } from '../../core/batch-port.ts';
import type { CallFailure } from '../../core/call.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { HeaderReader, Protocol } from '../../core/protocol.ts';
import { askedWait } from '../../protocols/shared/waits.ts';
import { classify, type Exchange } from '../classify.ts';

import type { Clock } from '../clock.ts';
import { readReply } from '../judge-reply.ts';
import type { KeyRing } from '../key-ring.ts';
import { nextTry } from '../retry.ts';
import { scrub, scrubBody } from '../secrets.ts';
import type { HttpTransport, LargeBody, PlainRequest } from '../transport.ts';

export interface BatchHttp {
  readonly baseUrl: string;
  /** @param once `true` for what must not be done twice: whether it was done is then told */
  json(request: PlainRequest, once?: boolean): Promise<BatchStep<JsonAnswer>>;
  /** Sends a large body to an address that is signed, once. */
  put(url: string, body: LargeBody): Promise<BatchStep<void>>;
  /** The lines of a file, as many at once as are at hand. @throws ResultsCut */
  lines(url: string, signed?: boolean): AsyncIterable<readonly string[]>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface JsonAnswer {
  readonly body: JsonObject;
  readonly header: HeaderReader;
}

interface BatchHttpOptions {
  readonly transport: Pick<HttpTransport, 'baseUrl' | 'request' | 'stream' | 'put'>;
  readonly ring: Pick<KeyRing, 'keys'>;
  readonly protocol: Pick<Protocol, 'errorOf' | 'rateReport'>;
  readonly attempts: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

export function createBatchHttp(options: BatchHttpOptions): BatchHttp {
  const { transport, ring, protocol, attempts, clock, random, signal } = options;

  const waitAsked = (exchange: Exchange): number | undefined =>
    'header' in exchange
      ? askedWait(exchange.header, clock.now(), protocol.rateReport(exchange.header, clock.now()))
      : undefined;

  const failed = (exchange: Exclude<Exchange, { type: 'aborted' }>): { failure: CallFailure; status: number } => {
    const shown = exchange.type === 'reply' ? { ...exchange, raw: scrub(exchange.raw, ring.keys()) } : exchange;
    const { failure } = classify(shown, protocol);
    return {
      failure: { ...failure, message: scrub(failure.message, ring.keys()) },
      status: 'status' in exchange ? exchange.status : 0,
    };
  };

  return {
    baseUrl: transport.baseUrl,
    clock,
    signal,
    async json(request, once = false) {
      for (let tried = 1; ; tried++) {
        const exchange = await transport.request(request, signal);
        if (exchange.type === 'aborted') return { ok: false, failure: STOPPED, ...(once ? { maybeDone: true } : {}) };
        const body = readReply(exchange);
        if (body !== undefined && exchange.type === 'reply') {
          // What a server says of its batches is written down and shown.
          return { ok: true, value: { body: objectOf(scrubBody(body, ring.keys())), header: exchange.header } };
        }
        const { failure, status } = failed(exchange);
        if (status === 404 || status === 410) return { ok: false, failure, gone: true };
        if (status === 413) return { ok: false, failure, tooLarge: true };
        // What is there already may be ours, of a try whose answer was lost, and does not go by being tried again.
        if (once && (status === 409 || isDoubtful(exchange))) return { ok: false, failure, maybeDone: true };
        if (failure.class !== 'transient' || status === 409) return { ok: false, failure };
        const asked = waitAsked(exchange);
        // Whoever looks has other things to do meanwhile, and may be told to stop.
        if (request.method === 'get' && asked !== undefined && asked > LONGEST_PAUSE) {
          return { ok: false, failure, lookAgain: asked };
        }
        const next = nextTry(tried, attempts, asked, random);
        if (!next.again || signal.aborted) return { ok: false, failure };
        await clock.sleep(next.waitMilliseconds, signal);
      }
    },
    async put(url, body) {
      const exchange = await transport.put(url, body, signal);
      if (exchange.type === 'reply') return { ok: true, value: undefined };
      return { ok: false, failure: exchange.type === 'aborted' ? STOPPED : failed(exchange).failure };
    },
    async *lines(url, signed = false) {
      let reply: Awaited<ReturnType<typeof transport.stream>>;
      try {
        reply = await transport.stream(url, signed, signal);
      } catch (error) {
        throw new ResultsCut(broken(error, ring.keys()));
      }
      if (reply.status !== 200) {
        const { status, header } = reply;
        const body = parsed(await textOf(reply.body));
        const { failure } = failed({ type: 'status', status, body, header });
        // A file that is gone stays gone; anything else may be there later.
        const gone = status === 404 || status === 410;
        throw new ResultsCut(
          gone ? { class: 'permanent', reason: 'rejected', message: failure.message } : later(failure),
        );
      }
      try {
        yield* splitLines(reply.body);
      } catch (error) {
        throw error instanceof ResultsCut ? error : new ResultsCut(broken(error, ring.keys()));
      }
    },
  };
}

/** Milliseconds that a look is put off in place where the server asks for it. */
const LONGEST_PAUSE = 5_000;

const STOPPED: CallFailure = { class: 'stopped', reason: 'interrupted', message: 'the build is stopping' };

/** Whether a server may have done what it did not say that it did. */
function isDoubtful(exchange: Exchange): boolean {
  if (exchange.type === 'connection') return exchange.sent && exchange.untrusted !== true;
  // Not implemented, unavailable, overloaded: it says that it did nothing.
  if (exchange.type === 'status') return exchange.status >= 500 && ![501, 503, 529].includes(exchange.status);
  return true;
}

/** A failure that may be over when it is asked again, whatever it is called. */
export const later = (failure: CallFailure): CallFailure => ({
  class: 'transient',
  reason: failure.class === 'transient' ? failure.reason : 'server_error',
  message: failure.message,
});

function broken(error: unknown, keys: Parameters<typeof scrub>[1]): CallFailure {
  const message = error instanceof Error ? error.message : String(error);
  return { class: 'transient', reason: 'connection', message: scrub(message, keys) };
}

/** The most of an error's body that is read. */
const ERROR_BYTES = 65_536;

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of body) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > ERROR_BYTES) break;
    }
  } catch {
    // The status says enough.
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The longest line that is read: a reply with the log probabilities of a long prompt is far shorter. */
const LONGEST_LINE = 64 * 1024 * 1024;
const NEWLINE = 10;

/** Lines of bytes, those of a chunk together; empty ones are left out. */
export async function* splitLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<readonly string[]> {
  let rest: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      const piece = chunk.subarray(start, end);
      const line = rest.length === 0 ? text(piece) : text(Buffer.concat([...rest, piece]));
      rest = [];
      size = 0;
      start = end + 1;
      if (line !== '') lines.push(line);
    }
    if (start < chunk.length) {
      rest.push(chunk.subarray(start));
      size += chunk.length - start;
    }
    if (size > LONGEST_LINE) throw new Error(`a line is longer than ${LONGEST_LINE} bytes`);
    if (lines.length > 0) yield lines;
  }
  const line = text(Buffer.concat(rest));
  if (line === '') return;
  // Not every server ends its last line, but one that is no JSON was cut.
  if (objectIn(line) === undefined) throw new Error(`they end within a line: ${JSON.stringify(line.slice(0, SHOWN))}`);
  yield [line];
}

/** Characters of a line that a message shows. */
const SHOWN = 40;

/** What surrounds a line is white space, or the mark of a byte order, which some tools write before the first. */
const text = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8').trim();

/** One part of a form, as `multipart/form-data`. */
export function multipart(
  fields: Readonly<Record<string, string>>,
  file: { readonly name: string; readonly content: string },
): Required<Pick<PlainRequest, 'body' | 'contentType'>> {
  const boundary = `cje-${file.name.replace(/[^A-Za-z0-9]/g, '')}`;
  const parts = Object.entries(fields).map(
    ([name, value]) => `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  const head = `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="${file.name}"\r\ncontent-type: application/jsonl\r\n\r\n`;
  const body = Buffer.from(`${parts.join('')}${head}${file.content}\r\n--${boundary}--\r\n`);
  return { body, contentType: `multipart/form-data; boundary=${boundary}` };
}

/** The object of a line; undefined for one that is none. */
export function objectIn(line: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A body that stands within a line, as it was written there and parsed; a text stands for itself. */
export interface EmbeddedBody {
  readonly body: string;
  readonly parsed?: unknown;
}

/**
 * The line's object with the body under `name` cut out, and the body as it was written: what is large is parsed once and
 * written never. Undefined where the line does not look as expected, and is to be read whole.
 *
 * @param tail what follows the body
 */
export function cutBody(
  line: string,
  name: string,
  tail: string,
): (EmbeddedBody & { readonly rest: JsonObject }) | undefined {
  const start = line.indexOf(`"${name}":{`) + name.length + 3;
  const end = line.lastIndexOf(`}${tail}`) + 1;
  if (start < name.length + 3 || end <= start) return undefined;
  const body = line.slice(start, end);
  const parsed = objectIn(body);
  // JSON with one value in place of another is JSON where both are, so that what is read is what stands there.
  const rest = parsed === undefined ? undefined : objectIn(`${line.slice(0, start)}null${line.slice(end)}`);
  return rest === undefined ? undefined : { body, parsed, rest };
}

export const textIn = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
export const countIn = (value: unknown): number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : 0;
export const objectOf = (value: unknown): JsonObject => (isJsonObject(value) ? value : {});
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
/** A reply's body as an online exchange would have brought it. */
export const bodyText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value ?? null));
