/** What goes wrong with batches on request: shares and times, drawn by the hash of an id, so that a run can be repeated. */

import { z } from 'zod';
import { chanceOf } from '../world/index.ts';

const share = z.number().min(0).max(1).default(0);
const seconds = z.number().min(0);

/** The written form: `batches:` of the simulator's options, and the file of `cje simulate --batches`. */
export const batchTroubleFile = z.strictObject({
  /** Draws anew for another number. */
  seed: z.int().default(0),
  /** How long a batch takes, and for how long a new one is in no list. */
  seconds: seconds.default(0),
  hidden_seconds: seconds.default(0),
  /** After so long, results are gone. */
  gone_seconds: seconds.optional(),
  /** Shares of batches: expire with some of their rows; are made, and the answer is lost; are refused by rate. */
  expire: share,
  unanswered: share,
  too_many: share,
  /** Shares of rows: in neither file, unbilled; twice; failed by the server. */
  lost: share,
  doubled: share,
  failed: share,
  /** The share of rows that a batch which is cut short has done. */
  partial: z.number().min(0).max(1).default(0.5),
  /** Prompt tokens that may wait for one model: a batch beyond them fails as a whole. */
  enqueued_tokens: z.int().min(1).optional(),
});

export type BatchTrouble = z.infer<typeof batchTroubleFile>;

/** Whether a trouble of this share strikes this thing. */
export const strikes = ({ seed }: BatchTrouble, share: number, kind: string, id: string): boolean =>
  share > 0 && chanceOf(`batch ${seed}\n${kind}\n${id}`)() < share;
