import { describe, expect, it } from 'vitest';
import { hopelessText, Prospects } from '../../src/engine/build/prospects.ts';

/** So many rows of each status, one after the other; tells after which one the node was given up. */
function settle(prospects: Prospects, rows: readonly (readonly [status: string, count: number])[]): number {
  let settled = 0;
  for (const [status, count] of rows) {
    for (let index = 0; index < count; index++) {
      prospects.settle({ status, asked: true });
      settled++;
      if (prospects.hopeless !== undefined) return settled;
    }
  }
  return Number.POSITIVE_INFINITY;
}

describe('a node', () => {
  it.each([
    [0, 500, 1],
    [0.05, 500, 26],
    [0.05, 40, 3],
    [0.3, 10, 4],
    [1, 10, Number.POSITIVE_INFINITY],
  ])('that tolerates %d of %d items is given up with the row that is one too many', (tolerate, items, at) => {
    expect(settle(new Prospects(tolerate, () => items), [['empty_response', items]])).toBe(at);
  });

  it('does not count its items while all is well', () => {
    let counted = 0;
    const prospects = new Prospects(0.5, () => ++counted);
    settle(prospects, [['ok', 10]]);
    expect(counted).toBe(0);
  });

  it('counts what was settled before', () => {
    const prospects = new Prospects(0.1, () => 20);
    prospects.before(10, { ok: 8, refused: 2 });
    expect(prospects.hopeless).toBeUndefined();
    expect(
      settle(prospects, [
        ['ok', 5],
        ['filtered', 1],
      ]),
    ).toBe(6);
    expect(hopelessText(prospects.hopeless!)).toBe(
      'stopped: 3 of 16 settled items are unusable (2 refused, 1 filtered); 10.0 % of 20 are tolerated',
    );
  });
});

describe('the first twenty items', () => {
  const judged = (tolerate: number, ...rows: (readonly [string, number])[]) => {
    const prospects = new Prospects(tolerate, () => 1000);
    settle(prospects, rows);
    prospects.judgeFirst();
    return prospects.hopeless;
  };

  it('end a node that one reason spoils for more than half of them', () => {
    expect(hopelessText(judged(0.3, ['ok', 9], ['unparseable', 11])!)).toBe(
      'stopped: 11 of the first 20 items are unusable (11 unparseable); 30.0 % of 1000 are tolerated',
    );
  });

  it.each<[string, number, (readonly [string, number])[]]>([
    [
      'half of them',
      0.3,
      [
        ['ok', 10],
        ['unparseable', 10],
      ],
    ],
    [
      'two reasons',
      0.3,
      [
        ['ok', 2],
        ['unparseable', 9],
        ['refused', 9],
      ],
    ],
    [
      'no more than is tolerated',
      0.6,
      [
        ['ok', 8],
        ['unparseable', 12],
      ],
    ],
    ['too few to tell', 0.3, [['unparseable', 19]]],
    [
      'the one after them',
      0.3,
      [
        ['ok', 10],
        ['unparseable', 11],
      ],
    ],
    [
      'later ones',
      0.3,
      [
        ['ok', 20],
        ['unparseable', 200],
      ],
    ],
  ])('do not for %s', (_, tolerate, rows) => expect(judged(tolerate, ...rows)).toBeUndefined());

  it('are those that were asked for, not those that were there', () => {
    const prospects = new Prospects(0.3, () => 1000);
    for (let index = 0; index < 40; index++) prospects.settle({ status: 'ok', asked: false });
    expect(settle(prospects, [['empty_response', 20]])).toBe(Number.POSITIVE_INFINITY);
    prospects.judgeFirst();
    expect(prospects.hopeless).toMatchObject({ atFirst: true, settled: 20 });
  });
});
