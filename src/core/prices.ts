/** The price table as it is written: a dated YAML file that the provider file names, and that the report reads too. */

import { z } from 'zod';

const dollars = z.number().min(0);

/** `{date, models: {MODEL or PROVIDER/MODEL: {input, cached_input?, output}}}`, dollars per million tokens. */
export const pricesFile = z.strictObject({
  date: z.iso.date('must be a day such as 2025-07-13'),
  models: z.record(
    z.string(),
    z.strictObject({
      input: dollars,
      /** Absent where the provider sells no cached input. */
      cached_input: dollars.optional(),
      output: dollars,
    }),
  ),
});
