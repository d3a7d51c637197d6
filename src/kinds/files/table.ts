/** What every stage of kind `table` may say of its file. */

import { z } from 'zod';
import type { WiringFault } from '../../core/kind.ts';
import type { Scale } from '../../datasets/scale.ts';

export const scaleSchema = () =>
  z
    .tuple([z.number(), z.number()])
    .refine(([low, high]) => low < high, 'a scale goes from its lowest value to its highest, such as [1, 5]');

export const valuesSchema = () =>
  z
    .record(z.string().min(1), z.number())
    .default({})
    .describe(
      'What words stand for, as numbers on their scale: `{good: 1, bad: 0}`. On [0, 1], yes and true are 1, no and false 0.',
    );

/** Words that stand for numbers which are not on their scale. */
export const valueFaults = (values: Readonly<Record<string, number>>, [low, high]: Scale): WiringFault[] =>
  Object.entries(values).flatMap(([word, value]) =>
    value >= low && value <= high
      ? []
      : [
          {
            at: { param: ['values', word] },
            id: 'CJE-BAD-VALUE',
            message: `'values.${word}' is ${value}, which is not on the scale of ${low} to ${high}`,
            hint: 'What a word stands for is a number on `scale:`.',
          } as const,
        ],
  );

export const rowSettings = {
  where: z
    .record(z.string().min(1), z.coerce.string())
    .default({})
    .describe('Read those rows alone that have these values in these columns, such as `{filter: strict-match}`.'),
  missing: z
    .array(z.string())
    .default(['NA'])
    .describe('Texts in CSV that mean a missing value, beside the empty one.'),
  on_bad_row: z
    .enum(['refuse', 'drop'])
    .default('refuse')
    .describe('What to do with a row that cannot be used: refuse the file, or leave the row out and count it.'),
};

/** The same in the words of those who read tables. */
export const tableSettings = (given: {
  readonly where: Readonly<Record<string, string>>;
  readonly missing: readonly string[];
  readonly on_bad_row: 'refuse' | 'drop';
}) => ({ where: given.where, missing: given.missing, onBadRow: given.on_bad_row });

export const column = () => z.string().min(1).optional();
