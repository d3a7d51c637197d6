/** From the tokens of a response to its number: at temperature 1, beside generation's own, and as the policy samples. */

import type { EchoedTokens } from '../../core/protocol.ts';
import type { ResponseRow } from '../../datasets/rows.ts';
import { type SamplingLaw, sumAsSampled } from '../../teacher-forcing/as-sampled.ts';
import { type Consistency, compareWithGeneration } from '../../teacher-forcing/consistency.ts';
import { sumOf } from '../../teacher-forcing/values.ts';

export type Forced =
  | {
      readonly status: 'ok';
      readonly logprob: number;
      readonly tokens: number;
      readonly model: string | null;
      /** Present where `logprob` is of the law that the policy samples by: what it is at temperature 1, and the error bound. */
      readonly asSampled?: { readonly raw: number; readonly bound: number };
      /** Present where the policy's own model wrote the response under this prompt, and said how likely it was. */
      readonly check?: Consistency;
    }
  | { readonly status: string; readonly model: string | null; readonly check?: Consistency };

export const no = (status: string, model: string | null = null): Forced => ({ status, model });

/** A response whose log probability is asked; it is there. */
export type ForcibleRow = ResponseRow & { readonly response: string };

/** How the policy samples, and how many of the likeliest tokens are asked for to tell its law from the model's. */
export interface Sampling extends SamplingLaw {
  readonly alternatives: number;
}

/** What is the same in all ways of forcing one response once. */
export interface Job {
  /** The policy's own answer to this very prompt. */
  readonly own: boolean;
  readonly draw: string;
  readonly sampling: Sampling | undefined;
}

/** Log probabilities of a text, and who told them. */
interface Told {
  readonly echo?: EchoedTokens;
  readonly model: string | null;
}

export interface Range {
  readonly from: number;
  readonly to: number;
}

/** The number of a response; where another law is wanted than the model's, that of the law, and by how much it may be off. */
export function valued(
  row: ForcibleRow,
  reply: Told,
  range: Range,
  { own, sampling }: Pick<Job, 'own' | 'sampling'>,
): Forced {
  const plain = plainly(row, reply, range, own);
  if (sampling === undefined || !('logprob' in plain)) return plain;
  const { alternatives, temperature, topP } = sampling;
  const { tokenLogprobs = [], likeliest } = reply.echo ?? {};
  const of = <T>(list: readonly T[]) => list.slice(range.from, range.to);
  const values = of(tokenLogprobs).map((value) => Math.min(value ?? 0, 0));
  const sum = sumAsSampled(values, likeliest && of(likeliest), alternatives, { temperature, topP });
  const { model, check } = plain;
  if (sum.status !== 'ok') return { ...no(sum.status, model), ...(check === undefined ? {} : { check }) };
  return { ...plain, logprob: sum.logprob, asSampled: { raw: plain.logprob, bound: sum.bound } };
}

/** The number at temperature 1. */
function plainly({ sampled }: ForcibleRow, { echo, model }: Told, range: Range, own: boolean): Forced {
  const values = echo?.tokenLogprobs ?? [];
  const sum = sumOf(values, range);
  const generated = sampled?.logprobs.slice(0, range.to - range.from) ?? [];
  const isComparable =
    own && sampled?.count === range.to - range.from && generated.length === sampled.count && generated.every(isNumber);
  if (sum.status !== 'ok' && !(sum.status === 'suspicious' && isComparable)) return no(sum.status, model);
  if (!isComparable) return sum.status === 'ok' ? { ...sum, model } : no(sum.status, model);
  const forced = values.slice(range.from, range.to).map((value) => Math.min(value ?? 0, 0));
  const check = compareWithGeneration(forced, generated.filter(isNumber));
  if (sum.status === 'suspicious' && check.agreement === 'agrees') {
    return {
      status: 'ok',
      logprob: forced.reduce((total, value) => total + value, 0),
      tokens: forced.length,
      model,
      check,
    };
  }
  if (sum.status !== 'ok') return { ...no(sum.status, model), check };
  // Such values are another thing than log probabilities of these tokens, whatever a gate allows.
  return check.agreement !== 'agrees' ? { ...no(`forced_${check.agreement}`, model), check } : { ...sum, model, check };
}

const isNumber = (value: number | null): value is number => value !== null;
