import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ReportData } from '../../src/report/model/data.ts';
import { renderTable } from '../../src/report/render/terminal/report.ts';
import { columnsOf } from '../../src/text/width.ts';
import { wrap } from '../../src/text/wrap.ts';
import { anyText } from '../helpers/any-text.ts';
import { fakeData } from './fake-data.ts';

const data = fakeData();
const plain = { color: false, width: 80 } as const;

/** The build before: another judge prompt moved five estimates and had one refused. */
function previousBuild(): Pick<ReportData, 'estimates' | 'quality'> {
  const other = fakeData({ seed: 2 });
  const estimates = data.estimates.map((row, index) => {
    if (index === 1) {
      const refused = data.estimates.find(({ status }) => status === 'refused')!;
      const { scorer, ablation, estimator, policy } = row;
      return { ...refused, scorer, ablation, estimator, policy };
    }
    return index % 9 === 0 ? other.estimates[index]! : row;
  });
  return { quality: data.quality, estimates };
}

describe('renderTable', () => {
  it('is as recorded at 80 columns', async () => {
    await expect(renderTable(data, plain)).toMatchFileSnapshot('golden/terminal-80.txt');
  });

  it('is as recorded at 120 columns, tempered, after an edit', async () => {
    const tempered = fakeData({ tempered: true });
    const text = renderTable(tempered, { color: false, width: 120, previous: previousBuild() });
    await expect(text).toMatchFileSnapshot('golden/terminal-120-moved.txt');
  });

  it('names every policy’s estimate, interval and truth in the ranking', () => {
    const text = renderTable(data, plain);
    expect(text).toContain('  1  pi_bigger_model  0.606  [0.575, 0.636]  truth 0.612');
    expect(text).toContain('Not separated: pi_bigger_model and pi_cot.');
    expect(text).toContain('Transport of the calibration: FAIL pi_bad');
  });

  it('names the gate in place of a refused number, and tells the reason below', () => {
    const text = renderTable(data, { color: false, width: 120 });
    expect(text).toMatch(/^ips .* refused: mean_raw_weight$/m);
    expect(text).toContain('pi_bad ✗ mean_raw_weight: ips, ips-uncalibrated');
    expect(text).toContain('Use an estimator with fresh draws');
  });

  it('says that nothing moved when nothing did', () => {
    expect(renderTable(data, { ...plain, previous: data })).toContain('Since the last build: no estimate moved.');
  });

  it('shows what moved, and only that, with its sign', () => {
    const [row, ...rest] = data.estimates;
    if (row?.status !== 'ok') throw new Error('the first row is estimated');
    const earlier = { ...data, estimates: [{ ...row, estimate: row.estimate + 0.0201 }, ...rest] };
    const text = renderTable(data, { ...plain, previous: earlier });
    const moved = text.slice(text.indexOf('Since the last build'));
    expect(moved).toMatch(/Δ deterministic\s+pi_clone\nips\s+-0\.020 ▼\n1 of 80 estimates moved/);
    expect(moved).not.toContain('snips');
  });

  it('adds nothing but colour when coloured', () => {
    const coloured = renderTable(data, { color: true, width: 80, previous: previousBuild() });
    expect(coloured).toContain('\u001b[1m');
    const bare = stripVTControlCharacters(coloured).replace(/ +$/gm, '');
    expect(bare).toBe(renderTable(data, { ...plain, previous: previousBuild() }).replace(/ +$/gm, ''));
  });

  it('keeps to the width there is', () => {
    fc.assert(
      fc.property(fc.integer({ min: 40, max: 200 }), (width) => {
        const text = renderTable(fakeData({ tempered: true }), { color: false, width, previous: previousBuild() });
        for (const line of text.split('\n')) expect(columnsOf(line)).toBeLessThanOrEqual(width);
      }),
      { numRuns: 40 },
    );
  });

  it('lets no control character of the data reach the terminal', () => {
    const name = anyText({ minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(name, name, (policy, reason) => {
        const hostile = `\u001b[2J${policy}\r`;
        const estimates = data.estimates.slice(0, 12).map((row) => {
          const renamed = {
            ...row,
            policy: row.policy === 'pi_bad' ? hostile : row.policy,
            ablation: `${row.ablation}${policy}`,
          };
          return renamed.status === 'refused' ? { ...renamed, reason, gate: reason } : renamed;
        });
        const policies = [...data.policies.slice(0, 3), hostile];
        const text = renderTable({ ...data, experiment: hostile, policies, estimates }, plain);
        expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
      }),
      { numRuns: 50 },
    );
  });

  it('does without estimates, without policies, without truth', () => {
    expect(renderTable({ ...data, estimates: [] }, plain)).toContain('No estimates.');
    expect(renderTable({ ...data, estimates: [], policies: [] }, plain)).toContain('0 target policies');
    expect(renderTable(fakeData({ truth: false }), plain)).not.toContain('truth');
  });

  it('depends on no module that draws charts', () => {
    const report = resolve(dirname(fileURLToPath(import.meta.url)), '../../src/report');
    const seen = new Set<string>();
    const visit = (file: string) => {
      if (seen.has(file)) return;
      seen.add(file);
      for (const [, target = ''] of readFileSync(file, 'utf8').matchAll(/(?:from|import\()\s*'([^']+)'/g)) {
        expect(target).not.toMatch(/echarts/);
        if (target.startsWith('.')) visit(join(dirname(file), target));
      }
    };
    visit(join(report, 'render/terminal/report.ts'));
    expect([...seen].some((file) => file.endsWith('ranking.ts'))).toBe(true);
  });
});

describe('wrap', () => {
  it('breaks at spaces, indents, and breaks a word that fits no line', () => {
    expect(wrap('one two three', 9, 2)).toEqual(['one two', '  three']);
    expect(wrap('one two', 20, 4, 2)).toEqual(['  one two']);
    expect(wrap('abcdefghijklmnop', 10)).toEqual(['abcdefghij', 'klmnop']);
  });
});
