/** An ablation file: which estimator, with which settings. Its keys are the settings' names, written with underscores. */

import { z } from 'zod';
import type { Gates } from '../../datasets/gates-file.ts';
import {
  COMMON_OPTIONS,
  type CommonOptions,
  type CommonSettings,
  ESTIMATORS,
  type EstimatorRegistry,
} from '../../stats/index.ts';

type Snake<S extends string> = S extends `${infer Head}${infer Tail}`
  ? `${Head extends Lowercase<Head> ? Head : `_${Lowercase<Head>}`}${Snake<Tail>}`
  : '';

type Shape = typeof COMMON_OPTIONS.shape;

/** Settings that are in the file's value whether or not they are written: those with one default in every mode. */
type Always = { [K in keyof Shape]: Shape[K] extends z.ZodDefault ? K : never }[keyof Shape];

/** An estimator's own settings stand beside these, under their own keys. */
export type Ablation = { readonly estimator: string } & {
  readonly [K in Always as Snake<K>]: CommonOptions[K];
} & { readonly [K in Exclude<keyof CommonOptions, Always> as Snake<K>]?: CommonOptions[K] };

/** The schema of a file that names one of these estimators. */
export function ablationSchemaOf(estimators: EstimatorRegistry): z.ZodType<Ablation> {
  const shape = Object.fromEntries(
    Object.entries({ ...COMMON_OPTIONS.shape, ...estimators.ownOptions }).map(([name, schema]) => [
      snake(name),
      schema instanceof z.ZodDefault ? schema : schema.optional(),
    ]),
  );
  const schema: z.ZodType = z
    .strictObject({ estimator: z.enum(estimators.names as string[]), ...shape })
    .superRefine((ablation, context) => {
      const { options } = estimators.get(ablation.estimator);
      const foreign = Object.keys(estimators.ownOptions).filter((name) => !Object.hasOwn(options.shape, name));
      for (const own of foreign) {
        const key = snake(own);
        if (!Object.hasOwn(ablation, key)) continue;
        const takers = estimators.names.filter((name) => Object.hasOwn(estimators.get(name).options.shape, own));
        context.addIssue({
          code: 'custom',
          path: [key],
          message: `'${key}' is no setting of ${ablation.estimator}`,
          params: { hint: `${takers.join(', ')} ${takers.length === 1 ? 'has' : 'have'} it` },
        });
      }
      if (context.issues.length > 0) return;
      try {
        estimators.resolve(estimatorSettings(ablation as Ablation, undefined, false));
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        context.addIssue({ code: 'custom', message: error.message });
      }
    });
  return schema as z.ZodType<Ablation>;
}

export const ablationSchema = ablationSchemaOf(ESTIMATORS);

/** The settings in the words of `stats`. */
export function estimatorSettings(
  ablation: Ablation,
  gates: Gates['overlap'] | undefined,
  judgeUncertainty: boolean,
): CommonSettings {
  const settings = { judgeUncertainty, ...camelKeys(ablation), gates: camelKeys(gates ?? {}) };
  return settings as CommonSettings;
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The members that are set, by their names in `stats`. */
function camelKeys(members: object): Record<string, unknown> {
  const set = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    set.map(([key, value]) => [key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()), value]),
  );
}
