/** Checks that JSON read from elsewhere has the shape of a stored entry; its values are kept as they are. */

import { z } from 'zod';
import { type Digest, isDigest } from '../../core/digest.ts';
import { isJsonObject, type Json } from '../../core/json.ts';
import type { Action, BuildRecord, OutputRef, StoredCall, StoredFailure, Superseded } from '../../core/storage.ts';
import type { Summary } from '../../core/summary.ts';
import type { RemovedBill } from './removed.ts';

const digest = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value));
/** An object whose fields are not checked. */
const object = <T>() => z.custom<T>(isJsonObject);

const ref: z.ZodType<OutputRef> = z.looseObject({ digest, size: z.number() });
const outputs = z.record(z.string(), ref);

const storedCall: z.ZodType<StoredCall> = z.looseObject({
  request: z.string(),
  raw: z.string(),
  usage: object<StoredCall['usage']>(),
  model: z.string(),
  identity: z.string(),
  cost: z.number().nullable(),
  boughtAt: z.number(),
  reserved: z.number().exactOptional(),
  node: z.string(),
  batch: z.string().exactOptional(),
});

const storedFailure: z.ZodType<StoredFailure> = z.looseObject({
  request: z.string(),
  failure: object<StoredFailure['failure']>(),
  failedAt: z.number(),
  node: z.string(),
  raw: z.string().exactOptional(),
  cost: z.number().exactOptional(),
});

const action: z.ZodType<Action> = z.looseObject({
  key: digest,
  kind: z.string(),
  outputs,
  summary: object<Summary>(),
  parts: z.custom<Json>((value) => value !== undefined),
  finishedAt: z.number(),
  calls: ref.exactOptional(),
});

/** A build's id is also a name on the command line. */
const BUILD_ID = /^[\w.-]{1,100}$/;

const buildRecord: z.ZodType<BuildRecord> = z.looseObject({
  id: z.string().regex(BUILD_ID),
  tags: z.array(z.string()).exactOptional(),
  gate: z.string().exactOptional(),
  startedAt: z.number(),
  finishedAt: z.number(),
  experiment: z.string(),
  profile: z.string(),
  targets: z.array(z.string()),
  exit: z.number(),
  totals: object<BuildRecord['totals']>(),
  nodes: z.record(
    z.string(),
    z.looseObject({
      key: digest.nullable(),
      outcome: z.custom<BuildRecord['nodes'][string]['outcome']>((value) => typeof value === 'string'),
      outputs,
      bought: z.number(),
      cost: z.number(),
    }),
  ),
});

const bill: z.ZodType<RemovedBill> = z.strictObject({
  bought: z.number(),
  cost: z.number(),
  unknown: z.number(),
  of: z.array(z.string()).exactOptional(),
});

/** A type guard, so that the value keeps its fields and their order: its text has a digest. */
const guard =
  <T>(shape: z.ZodType<T>) =>
  (value: unknown): value is T =>
    shape.safeParse(value).success;

export const isRemovedBill = guard(bill);
export const isStoredCall = guard(storedCall);

export const isSuperseded = (value: unknown): value is Superseded =>
  isJsonObject(value) &&
  ((value.type === 'reply' && isStoredCall(value)) || (value.type === 'failure' && isStoredFailure(value)));
export const isStoredFailure = guard(storedFailure);
export const isAction = guard(action);
export const isBuildRecord = guard(buildRecord);
