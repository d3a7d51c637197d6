import { expect, it } from 'vitest';
import { compareRankings } from '../../src/compare/estimates.ts';
import { headlineRanking } from '../../src/report/model/ranking.ts';
import { fakeData } from '../report/fake-data.ts';

it('an earlier build is told by what it led with, where it has no estimate by what leads now', () => {
  const after = fakeData();
  const led = headlineRanking(after)!;
  const without = { ...after, estimates: after.estimates.filter(({ ablation }) => ablation !== led.ablation) };
  const [change] = compareRankings(without, after);
  expect(change).toMatchObject({ ablation: led.ablation, beforeBy: headlineRanking(without)!.ablation });
  expect(change?.before.length).toBeGreaterThan(0);
  const [same] = compareRankings(after, after);
  expect(same).toMatchObject({ changed: false, before: led.ranked.map(({ row }) => row.policy) });
  expect(same).not.toHaveProperty('beforeBy');
});
