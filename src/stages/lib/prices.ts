/** A dated price table: dollars per million tokens, by model id. */

import { z } from 'zod';

export const pricesSchema = z.strictObject({
  /** The day on which the prices were read. */
  date: z.iso.date(),
  models: z.record(
    z.string(),
    z.strictObject({
      input: z.number().min(0),
      cached_input: z.number().min(0).optional(),
      output: z.number().min(0),
    }),
  ),
});
