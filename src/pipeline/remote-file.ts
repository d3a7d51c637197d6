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
  push: z.enum(['after', 'never']).default('never'),
});

/** The written form of the file. */
export const remoteFile = z.strictObject({
  remote: remote.optional(),
});

export type RemoteSettings = z.output<typeof remote>;
export type RemoteFile = z.output<typeof remoteFile>;
