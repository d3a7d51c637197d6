/** The form in which a judge is asked to answer. */

import { z } from 'zod';
import type { JsonObject } from '../../core/json.ts';
import { jsonSchemaOf } from '../../protocols/json-schema.ts';
import { type Judge, scaleOf } from './judge-file.ts';

/**
 * Reasons come before or after the score as the order of the names has it: bodies are sent with their keys in order, and
 * servers fill a schema in from the top.
 */
export const BEFORE = 'analysis';
export const AFTER = 'why';
/** What stands for reasons where the form is shown; a reply that holds it shows the form, too. */
export const REASONS_HERE = 'YOUR REASONS';

export interface VerdictForm {
  /** What a reply must hold to be one. */
  readonly reply: z.ZodObject;
  readonly jsonSchema: { readonly name: string; readonly schema: JsonObject };
}

const NAMES = {
  score: 'score',
  interval: 'score_with_interval',
  criteria: 'scores',
  pairwise: 'comparison',
} as const;

/** @param unbounded the schema says nothing of the scale */
export function verdictForm(judge: Judge, unbounded: boolean): VerdictForm {
  const { output, criteria = {}, rationale } = judge;
  const scale = scaleOf(judge);
  const bounded = () => (unbounded ? z.number() : z.number().min(scale[0]).max(scale[1]));
  // A number outside the scale is told as such, so whoever reads asks for a number alone.
  const shapeOf = (number: () => z.ZodNumber) =>
    ({
      score: () => ({ score: number() }),
      interval: () => ({ score: number(), ci_lower: number(), ci_upper: number() }),
      criteria: () => ({
        scores: z.object(Object.fromEntries(Object.keys(criteria).map((name) => [name, number()]))),
      }),
      pairwise: () => ({ winner: z.enum(['A', 'B', 'tie']) }),
    })[output]();
  const reasons = rationale === 'none' ? {} : { [rationale === 'before' ? BEFORE : AFTER]: z.string() };
  const asked = z.object({ ...reasons, ...shapeOf(bounded) });
  return {
    reply: z.object(shapeOf(z.number)),
    jsonSchema: { name: NAMES[output], schema: jsonSchemaOf(asked) },
  };
}

/** The same in words, for servers that take no schema. */
export function formatNote(judge: Judge): string {
  const { output, criteria = {}, rationale } = judge;
  const scale = scaleOf(judge);
  const number = `NUMBER FROM ${scale[0]} TO ${scale[1]}`;
  const fields = {
    score: [`"score": ${number}`],
    interval: [`"ci_lower": ${number}`, `"score": ${number}`, `"ci_upper": ${number}`],
    criteria: [
      `"scores": {${Object.keys(criteria)
        .map((name) => `"${name}": ${number}`)
        .join(', ')}}`,
    ],
    pairwise: ['"winner": "A", "B" OR "tie"'],
  }[output];
  const all = [
    ...(rationale === 'before' ? [`"${BEFORE}": "${REASONS_HERE}"`] : []),
    ...fields,
    ...(rationale === 'after' ? [`"${AFTER}": "${REASONS_HERE}"`] : []),
  ];
  return `Answer with one JSON object and nothing else: {${all.join(', ')}}`;
}
