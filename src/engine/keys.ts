/**
 * Keys: the digests that say whether two pieces of work are the same.
 *
 * One walk names the parts of a node's key; its visitors are the digest and the explanation, so that what is hashed and
 * what is explained cannot drift apart.
 */

import type { KeyedCall, Request } from '../core/call.ts';
import { type Digest, digestText } from '../core/digest.ts';
import { canonicalJson, isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import { joinPieces, measurePieces, type Pieces, run } from '../core/pieces.ts';
import type { OutputRef } from '../core/storage.ts';

/** Raised when the meaning of a stored reply or of a key's parts changes; every older key then misses. */
const PROTOCOL = 1;

/**
 * Keys a request: protocol version, provider identity, API path, body and draw, and nothing else. Nothing the server
 * sees is left out; credentials, limits and retries are not seen here.
 */
export function keyCall<R>(request: Request<R>): KeyedCall<R> {
  const { written } = request;
  const pieces = written?.body === request.body ? written.pieces : [canonicalJson(request.body)];
  const draw = JSON.stringify(request.draw);
  const identity = JSON.stringify(request.identity);
  const rest = `,"draw":${draw},"identity":${identity},"path":"${request.path}","v":${PROTOCOL}}`;
  const whole = [BODY, ...pieces, rest];
  const { digest, bytes } = measurePieces(whole);
  return new MeasuredCall(request, digest, whole, bytes, pieces);
}

const BODY = run('{"body":');

/** Makes its texts when they are asked for: of a call that is in the store nobody asks them. */
class MeasuredCall<R> implements KeyedCall<R> {
  readonly request: Request<R>;
  readonly key: Digest;
  readonly pieces: Pieces;
  readonly bytes: number;
  readonly #ofBody: Pieces;
  #body: string | undefined;

  constructor(request: Request<R>, key: Digest, pieces: Pieces, bytes: number, ofBody: Pieces) {
    this.request = request;
    this.key = key;
    this.pieces = pieces;
    this.bytes = bytes;
    this.#ofBody = ofBody;
  }

  get body(): string {
    this.#body ??= joinPieces(this.#ofBody);
    return this.#body;
  }

  get text(): string {
    return joinPieces(this.pieces);
  }
}

/** What a node is made of. The record of a finished node keeps it for explanations. */
export type KeyParts = {
  readonly kind: string;
  /** Digest of the code behind the kind. */
  readonly code: string;
  readonly params: JsonObject;
  /** Digest of each upstream output, by input name and label. */
  readonly inputs: Readonly<Record<string, Readonly<Record<string, Digest>>>>;
  /** Digest of each source's bytes. */
  readonly sources: Readonly<Record<string, string>>;
};

interface PartVisitor {
  /** `path` names the part: `code`, `params.judge.template`, `inputs.responses`. */
  part(path: readonly string[], value: Json): void;
}

/** Visits every part of a node's key in a fixed order, parameters down to their leaves. */
export function walkParts(parts: KeyParts, visitor: PartVisitor): void {
  visitor.part(['protocol'], PROTOCOL);
  visitor.part(['kind'], parts.kind);
  visitor.part(['code'], parts.code);
  walkLeaves(['params'], parts.params, visitor);
  for (const name of Object.keys(parts.inputs).sort()) {
    const group = parts.inputs[name]!;
    // Label order is not sorted away: an output may depend on the order in which its inputs come.
    for (const [label, digest] of Object.entries(group)) visitor.part(['inputs', name, label], digest);
  }
  for (const name of Object.keys(parts.sources).sort()) visitor.part(['sources', name], parts.sources[name]!);
}

function walkLeaves(path: readonly string[], value: Json, visitor: PartVisitor): void {
  if (isJsonObject(value) && Object.keys(value).length > 0) {
    for (const key of Object.keys(value).sort()) {
      const member = value[key];
      if (member !== undefined) walkLeaves([...path, key], member, visitor);
    }
    return;
  }
  visitor.part(path, value);
}

export function nodeKey(parts: KeyParts): Digest {
  const lines: string[] = [];
  walkParts(parts, { part: (path, value) => lines.push(`${canonicalJson([...path])}=${canonicalJson(value)}`) });
  return digestText(lines.join('\n'));
}

/** One digest for all files of an output: what dependants are keyed by. */
export function outputsDigest(outputs: Readonly<Record<string, OutputRef>>): Digest {
  return digestText(
    canonicalJson(Object.fromEntries(Object.entries(outputs).map(([file, ref]) => [file, ref.digest]))),
  );
}

/** A part that differs between two keys; a side is undefined where the part is absent there. */
export type PartChange = {
  readonly path: readonly string[];
  readonly before: Json | undefined;
  readonly after: Json | undefined;
};

/** The parts that differ, in the order of the walk. */
export function changedParts(before: KeyParts, after: KeyParts): PartChange[] {
  const old = new Map<string, { path: readonly string[]; value: Json }>();
  walkParts(before, { part: (path, value) => old.set(canonicalJson([...path]), { path, value }) });
  const changes: PartChange[] = [];
  walkParts(after, {
    part: (path, value) => {
      const name = canonicalJson([...path]);
      const was = old.get(name);
      old.delete(name);
      if (was === undefined || canonicalJson(was.value) !== canonicalJson(value)) {
        changes.push({ path, before: was?.value, after: value });
      }
    },
  });
  for (const { path, value } of old.values()) changes.push({ path, before: value, after: undefined });
  return changes;
}
