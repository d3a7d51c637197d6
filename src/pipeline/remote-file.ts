/** The file of what is beyond one machine: `cje.remote.yaml`. Nothing of it enters a key, and no credential stands in it. */

import { z } from 'zod';

const publicKey = z
  .string()
  .regex(
    /^ed25519:[A-Za-z0-9_-]{43}( .*)?$/,
    'must be a public key as `cje cache keygen` prints it, perhaps with a name behind it',
  );

const httpAddress = z.url({ protocol: /^https?$/, error: 'must be an address that begins with https:// or http://' });

const bucketOrFolder = z
  .string()
  .min(1)
  .refine((url) => !/^[a-z][a-z0-9+.-]+:/.test(url) || /^(s3:\/\/[a-z0-9][a-z0-9.-]+(\/|$)|file:\/\/\/)/.test(url), {
    error: 'must be s3://BUCKET/PREFIX, or the path of a folder',
  });

const remote = z.strictObject({
  /** `s3://BUCKET/PREFIX`, or the path of a folder: absolute, below `~`, or from the folder of this file. */
  url: bucketOrFolder,
  /** Of a service that is not Amazon's. */
  endpoint: httpAddress.optional(),
  region: z.string().min(1).default('us-east-1'),
  /** A section of the file of credentials that Amazon's tools use. */
  profile: z.string().min(1).optional(),
  /** Prints the bucket's credentials as JSON, as Amazon's `credential_process` does. */
  key_command: z.union([z.string().min(1), z.array(z.string()).min(1)]).optional(),
  /** A file of certificates to trust beside the system's. */
  ca_file: z.string().min(1).optional(),
  /** The file of the private key; who has none reads only. */
  sign_with: z.string().min(1).optional(),
  /** Whose segments are believed. */
  trusted: z.array(publicKey).min(1),
  /** `before` a build: all that is new; `missing`: only segments with an answer that a build lacks. */
  pull: z.enum(['before', 'missing', 'never']).default('before'),
  /** `after` a build; a till with a key gives what it buys, unless it is `never`. */
  push: z.enum(['after', 'never']).optional(),
});

const positive = z.number().gt(0);

const redisAddress = z
  .url({ protocol: /^rediss?$/, error: 'must be redis://HOST:PORT, or rediss:// for TLS' })
  .refine((url) => !/^rediss?:\/\/[^/]*@/.test(url), {
    error: 'must hold no credential: the password goes into the variable CJE_REDIS_PASSWORD',
  });

const till = z.strictObject({
  /** Dollars that the account may spend in all. */
  cap: positive.optional(),
  /** Seconds after which a till that says nothing counts as dead. */
  lease_seconds: positive.default(120),
  /** How often a call may be bought again after a till died with it. */
  buy_again: z.int().min(0).default(1),
  /** Limits by model, where they are not those of the provider file. */
  models: z
    .record(
      z.string(),
      z.strictObject({ requests_per_minute: positive.optional(), tokens_per_minute: positive.optional() }),
    )
    .default({}),
});

const workers = z.strictObject({
  /** Seconds that a job should take: work that can be cut is cut so. */
  job_seconds: positive.max(600).default(15),
  /** Seconds without any worker after which a build does the work itself. */
  wait_seconds: z.number().min(0).default(30),
  /** Seconds after which a worker that says nothing counts as dead, and its job goes to another. */
  lease_seconds: positive.default(30),
});

const cluster = z.strictObject({
  redis: redisAddress,
  /** Names the provider account whose key, limits and budget the till holds: all its books are under this name. */
  account: z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/, 'must be a name of letters, digits, dots and dashes'),
  /** What the till holds the account to; `false`: builds buy by themselves. */
  till: z.union([z.literal(false), till]).prefault({}),
  /** Whether heavy work goes to `cje worker`s on other machines; it needs `remote:`. */
  workers: z.union([z.boolean(), workers]).default(false),
});

/** The written form of the file. */
export const remoteFile = z
  .strictObject({
    remote: remote.optional(),
    cluster: cluster.optional(),
  })
  .refine((file) => file.remote !== undefined || (file.cluster?.workers ?? false) === false, {
    path: ['cluster', 'workers'],
    error: 'needs a shared cache, which carries what workers read and write: add `remote:`',
  });

export type RemoteSettings = z.output<typeof remote>;
export type ClusterSettings = z.output<typeof cluster>;
export type TillSettings = z.output<typeof till>;
type WorkerSettings = z.output<typeof workers>;

/** How work goes to workers; undefined where it stays here. */
export function workerSettings({ workers: written }: ClusterSettings): WorkerSettings | undefined {
  if (written === false) return undefined;
  return written === true ? workers.parse({}) : written;
}

export type RemoteFile = z.output<typeof remoteFile>;
