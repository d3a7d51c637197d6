/** All that a gate says of a result whose numbers all differ, for people, for test runners and for summary pages. */

import { describe, expect, it } from 'vitest';
import { gateJunit, gateMarkdown } from '../../src/decide/gate-files.ts';
import type { GateLook, GateResult } from '../../src/decide/gate-result.ts';
import { assumptionTexts, endText, gateText, lookLine } from '../../src/decide/gate-text.ts';

const first: GateLook = {
  prompts: 20,
  missing: 0,
  labels: { candidate: 3, baseline: 4 },
  difference: null,
  lower: -1,
  upper: 1,
  verdict: 'undecided',
  decidedAt: null,
};
const last: GateLook = {
  prompts: 1_040,
  missing: 2,
  labels: { candidate: 300, baseline: 411 },
  difference: 0.125,
  lower: -0.25,
  upper: 0.375,
  verdict: 'pass',
  decidedAt: 1_033,
};
const result: GateResult = {
  dataset: 'data',
  candidate: 'new',
  baseline: 'old',
  on: 'oracle',
  margin: 0.3,
  alpha: 0.05,
  pairwise: false,
  scale: [1, 5],
  verdict: 'pass',
  end: 'decided',
  looks: [first, last],
  bought: 2_345,
  billed: 6.75,
  unknown: 0,
};
const labels = {
  node: 'oracle',
  plan: { logger: 'old', calibrationShare: 0.5, validationShare: 0.25, seed: 1, validationSeed: 2 },
  propensities: { candidate: 1 / 3, baseline: 0.5 },
  asked: true,
};
const flat = (text: string) => text.replace(/\s+/g, ' ').trim();

describe('what a gate says in the end', () => {
  it('is the verdict, what it rests on, and what was bought', () => {
    expect(flat(gateText(result))).toBe(
      'PASS: new against old, difference +0.125 [-0.250, 0.375] A loss of 0.3 or more is refuted at α 0.05, by the first 1,033 prompts. Each bound is at α 0.05, at all looks together. Calls: 2,345 bought. Billed $6.75.',
    );
    expect(flat(gateText({ ...result, unknown: 0.5 }))).toContain('Billed $6.75, and perhaps $0.5000 more.');
    expect(flat(gateText({ ...result, looks: [], verdict: 'undecided', end: 'budget' }))).toMatch(
      /^UNDECIDED: new against old The budget ended/,
    );
    for (const line of gateText(result, 60).split('\n')) expect(line.length).toBeLessThanOrEqual(60);
  });

  it('is why it ended', () => {
    expect(endText({ ...result, verdict: 'fail' })).toBe(
      'A loss of less than 0.3 is refuted at α 0.05, by the first 1,033 prompts.',
    );
    expect(endText({ ...result, end: 'missing', looks: [{ ...last, missing: 60 }] })).toBe(
      '60 of 1,100 prompts lack an answer, a score or a label, more than 5 %: the rest need not speak for them.',
    );
  });

  it('is of each look how far it was', () => {
    expect(flat(lookLine(first))).toBe('20 prompts, 7 labels: nothing to compare, undecided');
    expect(flat(lookLine({ ...last, labels: { candidate: 0, baseline: 0 }, verdict: 'fail' }))).toBe(
      '1,040 prompts: difference +0.125 [-0.250, 0.375], fail at prompt 1,033',
    );
    // Numbers of prompts end in one column.
    expect([first, last].map((look) => lookLine(look).indexOf(' prompts'))).toEqual([6, 6]);
  });

  it('is of which answers the labels are', () => {
    expect(assumptionTexts(result, { labels })[1]).toContain(
      'an answer of new is labelled with probability 0.333 and one of old with 0.5, whatever it says',
    );
    expect(assumptionTexts({ ...result, on: 'judge' }, { labels })[1]).toContain('It is the judge’s scale');
  });
});

describe('a gate on a summary page', () => {
  it('has every number in its place', () => {
    const markdown = gateMarkdown(result, { labels });
    expect(markdown).toContain('## ✅ PASS: new against old\n');
    expect(markdown).toContain('| difference | +0.125 [-0.250, 0.375] |');
    expect(markdown).toContain('| margin | 0.3 (labels from 1 to 5) |');
    expect(markdown).toContain('| prompts | 1,040, and 2 that lack something |');
    expect(markdown).toContain('| bought | 2,345 calls, $6.75 |');
    expect(markdown).toContain(
      '| 20 | 7 | – | [-1.000, 1.000] | undecided |\n| 1,040 | 711 | +0.125 | [-0.250, 0.375] | pass |\n',
    );
    const { scale: _, ...plain } = result;
    const whole = gateMarkdown({ ...plain, verdict: 'fail', looks: [{ ...last, missing: 0 }] }, { labels });
    expect(whole).toContain('## ❌ FAIL');
    expect(whole).toContain('| margin | 0.3 |');
    expect(whole).toContain('| prompts | 1,040 |');
    const none = gateMarkdown({ ...result, looks: [] }, { labels });
    expect(none).toContain('| difference | – |');
    expect(none).toContain('| prompts | 0 |');
  });
});

describe('a gate among tests', () => {
  it('is one case, which fails, is in error or neither', () => {
    const counts = (verdict: GateResult['verdict']) =>
      /failures="(\d)" errors="(\d)"/
        .exec(gateJunit({ ...result, verdict }, { labels }, 1.25))!
        .slice(1)
        .join();
    expect([counts('pass'), counts('fail'), counts('undecided')]).toEqual(['0,0', '1,0', '0,1']);
    const xml = gateJunit({ ...result, verdict: 'fail' }, { labels }, 1.25);
    expect(xml).toContain('tests="1"');
    expect(xml).toContain('time="1.250"');
    expect(xml).toContain(
      '<failure type="gate-failed" message="FAIL: difference +0.125 [-0.250, 0.375]. A loss of less',
    );
    expect(xml).toContain('classname="data"');
  });
});
