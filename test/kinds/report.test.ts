import { describe, expect, it } from 'vitest';
import type { Inputs } from '../../src/core/kind.ts';
import { report } from '../../src/kinds/report.ts';

const million = { calls: 10, inputTokens: 1_000_000, cachedInputTokens: 0, outputTokens: 0 };
const tallies = [
  { identity: 'http://lab', model: 'm', ...million, cachedInputTokens: 500_000 },
  { identity: 'http://other', model: 'm', ...million, outputTokens: 500_000 },
  { identity: 'http://lab', model: 'unheard-of', ...million },
];

const input = (calls: typeof tallies) => ({
  summary: { items: 0, statuses: {}, calls },
  rows: () => [],
  text: () => '',
  files: () => [],
});

const inputs = (nodes: Record<string, typeof tallies>): Inputs => ({
  one: () => input([]),
  many: (name) => new Map(name === 'calls' ? Object.entries(nodes).map(([node, of]) => [node, input(of)]) : []),
  has: (name) => name === 'calls',
});

async function costs(prices: Parameters<typeof report.run>[0]['prices']) {
  const { files } = await report.run({ title: 'x', prices }, inputs({ 'scores/a': tallies }));
  const data = JSON.parse(String(files['data.json'])) as {
    readonly costs: readonly { node: string; tally: object; dollars: number | null }[];
    readonly pricesDate: string | null;
    readonly otherPrices?: readonly object[];
  };
  return { ...data, text: String(files['report.md']) };
}

describe('the cost in a report', () => {
  const prices = {
    date: '2026-07-01',
    models: {
      m: { input: 1, output: 8 },
      'lab/m': { input: 100, output: 100 },
      'http://lab/m': { input: 3, cached_input: 1, output: 9 },
    },
  };

  it('goes by the price of the provider, and is unknown where there is none', async () => {
    const { costs: lines, pricesDate, text } = await costs(prices);
    // Half a million at $3 and half from the cache at $1; a million at $1 and half a million at $8.
    expect(lines.map(({ node, dollars }) => [node, dollars])).toEqual([
      ['scores/a', 2],
      ['scores/a', 5],
      ['scores/a', null],
    ]);
    expect(lines.map(({ tally }) => tally)).toEqual(tallies);
    expect(pricesDate).toBe('2026-07-01');
    expect(text).toContain('2026-07-01');
  });

  it('says which price it took where that is of another day or from elsewhere', async () => {
    const table = {
      date: '2026-07-01',
      models: {
        m: { input: 1, output: 8 },
        'http://lab/m': { input: 3, output: 9, date: '2026-09-23', source: 'genai-prices 0.1.8' },
      },
    };
    const { text, otherPrices } = await costs(table);
    expect(text).toContain(
      String.raw`Prices as of 2026-07-01. m: \$3.00 in, \$9.00 out for a million tokens (genai-prices 0.1.8, 2026-09-23).`,
    );
    expect(otherPrices).toHaveLength(1);
    expect((await costs(prices)).text).not.toContain('for a million tokens');
  });

  it('is unknown without a price table', async () => {
    const { costs: lines, pricesDate } = await costs(undefined);
    expect(lines.map(({ dollars }) => dollars)).toEqual([null, null, null]);
    expect(pricesDate).toBeNull();
  });
});
