import { describe, expect, it } from 'vitest';
import { estimatesCsv } from '../../src/report/files/estimates-csv.ts';
import { estimatesJson } from '../../src/report/files/estimates-json.ts';
import { renderMarkdown } from '../../src/report/render/markdown/report.ts';
import { fakeData } from './fake-data.ts';

const data = fakeData();

/** Reads RFC 4180 text: rows of cells. */
function readCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const cell = /("((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy;
  for (let match = cell.exec(text); match !== null; match = cell.exec(text)) {
    row.push(match[2]?.replace(/""/g, '"') ?? match[3] ?? '');
    if (match[4] === ',') continue;
    rows.push(row);
    row = [];
  }
  return rows;
}

describe('estimates.csv', () => {
  it('is as recorded', async () => {
    const few = { ...data, estimates: data.estimates.slice(0, 8) };
    await expect(estimatesCsv(few)).toMatchFileSnapshot('golden/estimates.csv');
  });

  it('has one row a cell, every row with every column', () => {
    const [header, ...rows] = readCsv(estimatesCsv(data));
    expect(rows).toHaveLength(data.estimates.length);
    expect(new Set(rows.map((row) => row.length))).toEqual(new Set([header!.length]));
    const column = (name: string) => header!.indexOf(name);
    data.estimates.forEach((row, index) => {
      const cells = rows[index]!;
      expect(cells[column('policy')]).toBe(row.policy);
      expect(cells[column('status')]).toBe(row.status);
      if (row.status === 'ok') {
        expect(Number(cells[column('estimate')])).toBe(row.estimate);
        expect(Number(cells[column('upper')])).toBe(row.upper);
        expect(cells[column('gate')]).toBe('');
      } else {
        expect(cells[column('estimate')]).toBe('');
        expect(cells[column('reason')]).toBe(row.reason);
        expect(cells[column('collect')]).toBe(row.collect);
      }
    });
  });
});

describe('estimates.json', () => {
  const value = JSON.parse(estimatesJson(data));

  it('holds the rows, the ranking, the truth, the gates and the cost', () => {
    expect(value.version).toBe(1);
    expect(value.estimates).toHaveLength(80);
    expect(value.estimates[0]).toEqual({ ...data.estimates[0], sensitivity: 0, truth: 0.518 });
    expect(value.ranking).toMatchObject({ scorer: 'deterministic', ablation: 'dr-cpo', refused: [] });
    expect(value.ranking.ranked.map(({ policy }: { policy: string }) => policy)).toEqual([
      'pi_bigger_model',
      'pi_cot',
      'pi_clone',
      'pi_bad',
    ]);
    expect(value.truth).toEqual(data.truth);
    expect(value.gates).toHaveLength(26);
    expect(value.gates.filter(({ passed }: { passed: boolean }) => !passed)).toMatchObject([{ scorer: 'uncertainty' }]);
    expect(value.reproduce).toBeCloseTo(0.3161, 10);
  });

  it('has its keys sorted at every depth', () => {
    const check = (node: unknown): void => {
      if (typeof node !== 'object' || node === null) return;
      if (!Array.isArray(node)) expect(Object.keys(node)).toEqual(Object.keys(node).sort());
      Object.values(node).forEach(check);
    };
    check(value);
  });

  it('says null for a number that JSON cannot hold, and for a cost that is not known', () => {
    const [row, ...rest] = data.estimates;
    const odd = { ...row!, diagnostics: { ...row!.diagnostics, tailIndex: Number.POSITIVE_INFINITY } };
    const costs = [...data.costs, { ...data.costs[0]!, dollars: null }];
    const parsed = JSON.parse(estimatesJson({ ...data, estimates: [odd, ...rest], costs }));
    expect(parsed.estimates[0].diagnostics.tailIndex).toBeNull();
    expect(parsed.reproduce).toBeNull();
  });

  it('has no ranking without estimates', () => {
    expect(JSON.parse(estimatesJson({ ...data, estimates: [] })).ranking).toBeNull();
  });
});

describe('report.md', () => {
  const markdown = renderMarkdown(data);

  it('has tables whose rows have as many cells as their heading', () => {
    const tables = markdown.split('\n\n').filter((block) => block.startsWith('|'));
    expect(tables.length).toBeGreaterThanOrEqual(11);
    for (const table of tables) {
      const widths = table
        .trimEnd()
        .split('\n')
        .map((line) => line.replace(/\\\|/g, '').split('|').length);
      expect(new Set(widths).size).toBe(1);
    }
  });

  it('ranks, refuses with the reason and what to collect, and prices', () => {
    expect(markdown).toContain('**pi_bigger_model ≈ pi_cot > pi_clone > pi_bad**');
    expect(markdown).toContain('| *refused: mean_raw_weight* |');
    expect(markdown).toContain('  - What to collect: Use an estimator with fresh draws');
    expect(markdown).toContain('| **failed** | score_parse_rate | pi_bad | 0.930 | ≥ 0.95 | uncertainty |');
    expect(markdown).toContain('| **all stages** |  | 4,090 | 1,283,090 | 216,934 | \\$0.3161 |');
    expect(markdown).not.toContain('†');
  });

  it('keeps hostile texts inside their cells', () => {
    const estimates = data.estimates.map((row) => ({
      ...row,
      policy: row.policy === 'pi_bad' ? 'x|y\n# <b>' : row.policy,
    }));
    const policies = data.policies.map((policy) => (policy === 'pi_bad' ? 'x|y\n# <b>' : policy));
    const hostile = renderMarkdown({ ...data, estimates, policies });
    expect(hostile).toContain('x\\|y # &lt;b&gt;');
    expect(hostile).not.toContain('<b>');
    expect(hostile).not.toMatch(/^# <?b/m);
  });

  it('marks what is tempered and says what that means', () => {
    const tempered = renderMarkdown(fakeData({ tempered: true }));
    expect(tempered).toMatch(/\| dr-cpo \| [\d.]+ ± [\d.]+† \|/);
    expect(tempered).toContain('† Tempered:');
  });
});
