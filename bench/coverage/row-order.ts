/** Rows in another order through the command: what a build says may not differ by it. */

import { readFileSync } from 'node:fs';
import { ATTACKS, simulateAttack } from './attacks.ts';
import { buildAttacks, type Place } from './command.ts';
import { shuffled } from './shuffled.ts';
import type { Seeds } from './study.ts';

const CLOSE = 1e-12;

/** @returns a line a world: how many statuses and numbers differ from those of the rows as they came, and the largest distance. */
export function rowOrderLine(name: string, estimators: readonly string[], shuffles: Seeds, place: Place): string {
  const world = ATTACKS[name]!;
  const data = simulateAttack(world, shuffles.first);
  const orders = Array.from({ length: shuffles.count }, (_, k) => k + 1);
  const copies = new Map([0, ...orders].map((k) => [k, () => (k === 0 ? data : shuffled(data, k))]));
  buildAttacks(world, estimators, copies, place);
  const told = (order: number) =>
    estimators.map((estimator) => {
      const folder = `${place.folder}/out/estimates/${order}/${estimator}`;
      const rows = readFileSync(`${folder}/rows.jsonl`, 'utf8').trim().split('\n');
      return [...rows, readFileSync(`${folder}/comparisons.json`, 'utf8')].map((text) => JSON.parse(text) as unknown);
    });
  const as = told(0);
  const found = orders.flatMap((order) => differences(told(order), as));
  const words = found.filter((of) => of === 'words').length;
  const distances = found.filter((of) => of !== 'words');
  const off = distances.filter((distance) => distance > CLOSE).length;
  const cells = [name, estimators.length, shuffles.count, words, distances.length, off, Math.max(0, ...distances)];
  return `| ${cells.join(' | ')} |`;
}

export const ROW_ORDER_HEAD = [
  '| world | estimators | shuffles | words that differ | numbers | off by > 1e-12 | largest |',
  '|---|---:|---:|---:|---:|---:|---:|',
];

/** By pairs of numbers their relative distance; `words` for whatever else is unequal, or stands in one alone. */
function differences(now: unknown, before: unknown): (number | 'words')[] {
  if (typeof now === 'number' && typeof before === 'number') {
    return [Math.abs(now - before) / Math.max(1, Math.abs(before))];
  }
  if (now === null || before === null || typeof now !== 'object' || typeof before !== 'object') {
    return now === before ? [] : ['words'];
  }
  const [a, b] = [Object.entries(now), new Map(Object.entries(before))];
  return a.length === b.size ? a.flatMap(([key, value]) => differences(value, b.get(key))) : ['words'];
}
