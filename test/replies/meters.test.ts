import { expect, it } from 'vitest';
import { addMeter, bill, newMeter } from '../../src/replies/source.ts';

it('a meter that is added to another brings its bills by model, its failures and its doubts', () => {
  const [to, from] = [newMeter(), newMeter()];
  bill(to, 'lab', 'm', { bought: 1, cost: 2, unknown: 0 });
  bill(from, 'lab', 'm', { bought: 1, cost: 3, unknown: 5 });
  bill(from, 'lab', 'n', { bought: 0, cost: 0, unknown: 7 });
  bill(from, 'lab', 'o', { bought: 0, cost: 0, unknown: 0 });
  from.failed = 1;
  from.doubted = 2;
  addMeter(to, from);
  expect(to).toMatchObject({ bought: 2, cost: 5, unknown: 12, failed: 1, doubted: 2 });
  expect(to.models).toEqual([
    { identity: 'lab', model: 'm', bought: 2, cost: 5, unknown: 5 },
    { identity: 'lab', model: 'n', bought: 0, cost: 0, unknown: 7 },
  ]);
});
