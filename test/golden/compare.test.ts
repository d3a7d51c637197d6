/** Golden values notice what moved, and name it. */

import { describe, expect, it } from 'vitest';
import { differences, summary } from '../../scripts/golden/compare.mjs';
import { outline } from '../../scripts/golden/outline.mjs';

describe('values', () => {
  const rows = (estimate: unknown, more = {}) =>
    JSON.stringify({ estimates: [{ scorer: 'plain', policy: 'pi_cot', estimate, ...more }] });

  it('may differ by 1e-9, absolute below one and relative above', () => {
    expect(differences('a.json', rows(0.5), rows(0.5 + 9e-10))).toEqual([]);
    expect(differences('a.json', rows(5e6), rows(5e6 + 4e-3))).toEqual([]);
    expect(differences('a.json', rows(0.5), rows(0.5 + 2e-9))).toHaveLength(1);
    expect(differences('a.json', rows(5e6), rows(5e6 + 6e-3))).toHaveLength(1);
  });

  it('are named by their path and their row, with both numbers', () => {
    expect(differences('a.json', rows(0.5), rows(0.25))).toEqual([
      'a.json.estimates[0 plain pi_cot].estimate: golden 0.5, now 0.25',
    ]);
  });

  it('must be of the same type, and there', () => {
    expect(differences('a.json', rows(0.5), rows('0.5'))).toHaveLength(1);
    expect(differences('a.json', rows(0.5), rows(null))).toHaveLength(1);
    expect(differences('a.json', rows(0.5), rows(0.5, { gate: 'ess' }))[0]).toMatch(/gate: golden nothing, now "ess"/);
    expect(differences('a.json', rows(0.5, { gate: 'ess' }), rows(0.5))[0]).toMatch(/gate: golden "ess", now nothing/);
    expect(differences('a.json', '[1,2]', '[1]')).toEqual(['a.json[1]: golden 2, now nothing']);
    expect(differences('a.json', '[]', '{}')).toHaveLength(1);
    expect(differences('a.json', 'null', '{}')).toHaveLength(1);
  });
});

describe('lines', () => {
  it('may differ in the last digits of their numbers, and in nothing else', () => {
    expect(differences('a.csv', 'x,0.1234567890123\n', 'x,0.1234567890124\n')).toEqual([]);
    expect(differences('a.md', 'a\n0.536 ± 0.02\n', 'a\n0.537 ± 0.02\n')).toEqual([
      'a.md:2: golden "0.536 ± 0.02", now "0.537 ± 0.02"',
    ]);
    expect(differences('a.md', 'a 1', 'b 1')).toHaveLength(1);
    expect(differences('a.md', 'a\nb', 'a')).toEqual(['a.md:2: golden "b", now nothing']);
    expect(differences('a.md', '1 2', '1')).toHaveLength(1);
  });
});

describe('a summary', () => {
  it('names the first differences and counts the rest', () => {
    expect(summary(['a', 'b', 'c'], 2)).toBe('a\nb\n… and 1 more');
    expect(summary([])).toBe('');
  });
});

describe('the outline of a page', () => {
  const page = (head: string, cell: string) =>
    `<html><head>${head}</head><body><section id="s"><h2>Of <b>all</b></h2><table class="x"><tr><th>a<td>${cell}</table></section>`;

  it('is its headings, identifiers, tables and cells', () => {
    expect(outline(page('', '1'))).toBe('section#s\nh2: Of all\n\ntable\n| *a | 1 |\n');
  });

  it('moves with a cell, and not with its style', () => {
    const styled = page('<style>b { color: red }</style>', '<i style="color: red">1</i><svg><text>7</text></svg>');
    expect(outline(styled)).toBe(outline(page('', '1')));
    expect(outline(page('', '2'))).not.toBe(outline(page('', '1')));
  });
});
