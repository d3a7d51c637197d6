/** No order of rows decides what a gate, a panel or an import comes to: statuses are equal, numbers to 1e-12. */

import { describe, expect, it } from 'vitest';
import { ROWS } from '../../src/core/kind.ts';
import type { ScoreRow } from '../../src/datasets/rows.ts';
import { gatePrompts } from '../../src/decide/gate-prompts.ts';
import { panel } from '../../src/kinds/panel.ts';
import { nonInferiority, pairedDifferences } from '../../src/stats/index.ts';
import { randomSource } from '../../src/stats/numeric/random.ts';
import { good, imported, lines } from './import-support.ts';
import { input, inputs, many } from './support.ts';

const SHUFFLES = Array.from({ length: 10 }, (_, i) => i + 1);
/** A panel draws its prompts a thousand times. */
const FEW_PROMPTS = 12;

function shuffled<T>(rows: readonly T[], seed: number): readonly T[] {
  const { uniform } = randomSource(seed, 7);
  return rows
    .map((row) => ({ row, at: uniform() }))
    .sort((a, b) => a.at - b.at)
    .map(({ row }) => row);
}

/** Where two values differ: numbers by more than 1e-12, all else at all. */
function differences(now: unknown, before: unknown, at = ''): readonly string[] {
  if (typeof now === 'number' && typeof before === 'number') {
    return Math.abs(now - before) <= 1e-12 * Math.max(1, Math.abs(before)) ? [] : [`${at}: ${before}, now ${now}`];
  }
  if (now === null || before === null || typeof now !== 'object' || typeof before !== 'object') {
    return now === before ? [] : [`${at}: ${String(before)}, now ${String(now)}`];
  }
  const [a, b] = [Object.entries(now), new Map(Object.entries(before))];
  if (a.length !== b.size) return [`${at}: ${b.size} entries, now ${a.length}`];
  return a.flatMap(([key, value]) => differences(value, b.get(key), `${at}/${key}`));
}

const alike = (now: unknown, before: unknown) => expect(differences(now, before).slice(0, 5)).toEqual([]);

const { uniform } = randomSource(3, 1);
const ids = Array.from({ length: 120 }, (_, i) => `q${i}`);
/** Five levels, so that whatever orders rows meets ties. */
const level = (mean: number) => Math.round(4 * Math.min(Math.max(mean + 0.5 * (uniform() - 0.5), 0), 1)) / 4;
const scoresOf = (mean: number) =>
  ids.flatMap((prompt_id) =>
    [0, 1].map(
      (draw_index): ScoreRow => ({
        prompt_id,
        ...(draw_index === 0 ? {} : { draw_index }),
        status: 'ok',
        score: level(mean),
        variance: 0.01,
        model: 'm',
      }),
    ),
  );

describe('whatever the order of rows', () => {
  it('a gate says the same', () => {
    const scores = { candidate: scoresOf(0.62), baseline: scoresOf(0.58) };
    const nodes = {
      responses: { candidate: 'responses/c', baseline: 'responses/b' },
      scores: { candidate: 'scores/c', baseline: 'scores/b' },
      labels: undefined,
    };
    const pair = { candidate: 'c', baseline: 'b' };
    const verdict = (seed: number | undefined) => {
      const rows = { 'scores/c': scores.candidate, 'scores/b': scores.baseline };
      const read = (node: string) => {
        const of = rows[node.replace('responses', 'scores') as keyof typeof rows];
        return input({ rows: seed === undefined ? of : shuffled(of, seed + node.length) });
      };
      const { prompts, missing } = gatePrompts(pair, nodes, read);
      const { values, bounds } = pairedDifferences(prompts, { on: 'judge' });
      return [missing, nonInferiority(values, { margin: 0.1, alpha: 0.05, bounds })];
    };
    const as = verdict(undefined);
    for (const seed of SHUFFLES) alike(verdict(seed), as);
  });

  it('a panel and its agreement are the same', async () => {
    const few = (mean: number) => scoresOf(mean).slice(0, 2 * FEW_PROMPTS);
    const judges = { a: few(0.5), b: few(0.55), c: few(0.6) };
    const combined = async (seed: number | undefined) => {
      const rowsOf = (rows: readonly ScoreRow[], i: number) =>
        seed === undefined ? rows : shuffled(rows, 10 * seed + i);
      const given = many(
        Object.fromEntries(Object.entries(judges).map(([name, rows], i) => [name, { rows: rowsOf(rows, i) }])),
      );
      const { files, notes } = await panel.run(panel.params.parse({}), inputs({ scores: given }));
      const key = ({ prompt_id, draw_index = 0 }: ScoreRow) => `${prompt_id} ${draw_index}`;
      const rows = [...(files[ROWS] as Iterable<ScoreRow>)].sort((a, b) => (key(a) < key(b) ? -1 : 1));
      return { rows, notes };
    };
    const as = await combined(undefined);
    for (const seed of SHUFFLES) alike(await combined(seed), as);
  });

  it('an import has the same rows and the same quality', async () => {
    const log = ids.map((_, i) => good(i, { judge_score: level(0.5), oracle_label: i % 3 === 0 ? level(0.5) : null }));
    const fresh = ids.map((_, i) => ({
      prompt_id: `q${i}`,
      response: 'other words',
      judge_score: level(0.6),
      ...(i % 4 === 0 ? { oracle_label: level(0.6) } : {}),
    }));
    const read = async (seed: number | undefined) => {
      const rowsOf = <T>(rows: readonly T[], by: number) => (seed === undefined ? rows : shuffled(rows, seed + by));
      const {
        logged,
        fresh: draws,
        quality,
      } = await imported({
        logged: lines(rowsOf(log, 0)),
        fresh: { up: lines(rowsOf(fresh, 100)) },
      });
      const sorted = <T extends { readonly prompt_id: string }>(rows: readonly T[]) =>
        rows.toSorted((a, b) => (a.prompt_id < b.prompt_id ? -1 : 1));
      const { calibration, ...rest } = quality;
      // The labelled points of a picture are told as they come.
      const points = calibration!.points.toSorted(([x, y], [u, v]) => x - u || y - v);
      return [sorted(logged), sorted(draws), rest, { ...calibration, points }];
    };
    const as = await read(undefined);
    for (const seed of SHUFFLES) alike(await read(seed), as);
  });
});
