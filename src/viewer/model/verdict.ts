/** What a judge said of one response beside the number: in its units, as its row keeps it. */

import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { Units } from '../../datasets/units.ts';
import type { OpenNode } from './open-node.ts';
import { suffixOf } from './open-node.ts';

export interface Verdict {
  /** The judge's own standard deviation; null where it stated none. */
  readonly spread: number | null;
  /** What the number is made of: criteria, or the judges of a panel; empty where it is one number. */
  readonly parts: readonly { readonly name: string; readonly value: number }[];
  readonly draws: readonly number[];
  /** Of a comparison: the policy that the response was shown beside, and the score with the response first and second. */
  readonly against: string | null;
  readonly orders: readonly [first: number, second: number] | null;
  readonly rationale: string | null;
  /** The reply was not what was asked for, and could be read all the same. */
  readonly repaired: boolean;
}

export function verdictOf(row: JsonObject, node: OpenNode, { level, difference }: Units): Verdict {
  const { variance, criteria, draws, orders, rationale, repaired } = row;
  const [first, second] = numbers(orders);
  const against = node.inputs.find(({ input }) => input === 'against');
  return {
    spread: typeof variance === 'number' && variance > 0 ? difference(Math.sqrt(variance)) : null,
    parts: Object.entries(isJsonObject(criteria) ? criteria : {}).flatMap(([name, value]) =>
      typeof value === 'number' ? [{ name, value: level(value) }] : [],
    ),
    draws: numbers(draws).map(level),
    against: against === undefined ? null : suffixOf({ name: against.node }),
    orders: first === undefined || second === undefined ? null : [first, second],
    rationale: typeof rationale === 'string' ? rationale : null,
    repaired: repaired === true,
  };
}

const numbers = (value: unknown): number[] =>
  Array.isArray(value) ? value.filter((each): each is number => typeof each === 'number') : [];
