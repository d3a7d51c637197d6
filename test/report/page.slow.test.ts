import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EstimatedRow } from '../../src/datasets/results.ts';
import { tidySvg } from '../../src/report/charts/chart.ts';
import { usefulRange } from '../../src/report/charts/forest.ts';
import type { ReportData } from '../../src/report/model/data.ts';
import { renderPage } from '../../src/report/render/html/page.ts';
import { renderReport } from '../../src/report/render/index.ts';
import { escapeHtml } from '../../src/text/escape.ts';
import { anyText } from '../helpers/any-text.ts';
import { fakeData } from './fake-data.ts';
import { poisoned } from './poisoned.ts';

const data = fakeData();
const page = renderPage(data);

/** Two policies and two ablations: enough for every section, quick to draw. */
function small(): ReportData {
  const keep = new Set(['snips', 'dr-cpo']);
  const policies = ['pi_clone', 'pi_bad'];
  return {
    ...data,
    policies,
    estimates: data.estimates.filter((row) => keep.has(row.ablation) && policies.includes(row.policy)),
    quality: data.quality.map((quality) => ({
      ...quality,
      weights: quality.weights.filter(({ policy }) => policies.includes(policy)),
      logprobs: quality.logprobs.slice(0, 2),
      scores: quality.scores.slice(0, 2),
    })),
    costs: data.costs.slice(0, 3),
  };
}

interface Tag {
  readonly name: string;
  readonly closing: boolean;
  readonly void: boolean;
  readonly attributes: readonly (readonly [string, string])[];
}

/** Reads markup strictly: anything that is not text, a well-formed tag or the style sheet throws. */
function tagsOf(html: string): Tag[] {
  const body = html.replace(/^<!doctype html>/, '').replace(/<style>[^<]*<\/style>/, '');
  const tags: Tag[] = [];
  let at = 0;
  for (const match of body.matchAll(/<(\/?)([a-zA-Z][\w:]*)((?:\s+[\w:-]+(?:="[^"<>]*")?)*)\s*(\/?)>/g)) {
    expectText(body.slice(at, match.index));
    at = match.index + match[0].length;
    const attributes = [...match[3]!.matchAll(/([\w:-]+)(?:="([^"]*)")?/g)].map(
      ([, name, value]) => [name!, value ?? ''] as const,
    );
    tags.push({ name: match[2]!, closing: match[1] === '/', void: match[4] === '/', attributes });
  }
  expectText(body.slice(at));
  return tags;
}

/** A page has thousands of these, and an assertion each would take as long as drawing it. */
function expectText(between: string) {
  if (/[<>]/.test(between)) expect.fail(`no well-formed tag: ${between}`);
}

const VOID = new Set(['meta', 'br', 'img']);

function expectNested(tags: readonly Tag[]) {
  const open: string[] = [];
  for (const tag of tags) {
    if (tag.void || VOID.has(tag.name)) continue;
    if (!tag.closing) open.push(tag.name);
    else if (open.pop() !== tag.name) expect.fail(`</${tag.name}> closes another`);
  }
  expect(open).toEqual([]);
}

describe('report.html', () => {
  const tags = tagsOf(page);

  it('is well formed, and every id is there once', () => {
    expectNested(tags);
    const ids = tags.flatMap(({ attributes }) =>
      attributes.filter(([name]) => name === 'id').map(([, value]) => value),
    );
    expect(new Set(ids).size).toBe(ids.length);
    const used = [...page.matchAll(/(?:url\(|href=")#([\w-]+)/g)].map(([, id]) => id);
    expect(used.length).toBeGreaterThan(8);
    for (const id of used) expect(ids).toContain(id);
  });

  it('needs no script, no network and no other file', () => {
    const names = new Set(tags.map(({ name }) => name));
    for (const name of ['script', 'link', 'img', 'iframe', 'object', 'image', 'use']) expect(names).not.toContain(name);
    expect(page.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|@import|url\((?!#)/);
    const leading = tags.flatMap(({ attributes }) =>
      attributes.filter(([name, value]) => name.startsWith('on') || (name === 'href' && !value.startsWith('#'))),
    );
    expect(leading).toEqual([]);
  });

  it('has headings, captioned tables and described charts', () => {
    const count = (name: string) => tags.filter((tag) => tag.name === name && !tag.closing).length;
    expect(count('h1')).toBe(1);
    expect(count('h2')).toBe(9);
    expect(count('caption')).toBe(count('table'));
    expect(count('figcaption')).toBe(count('figure'));
    expect(count('figure')).toBe(1 + 4 + 4 + 2 + 2);
    const drawings = tags.filter(
      ({ name, attributes }) => name === 'svg' && attributes.some(([key]) => key === 'role'),
    );
    expect(drawings).toHaveLength(13 + 5);
    for (const { attributes } of drawings) {
      expect(attributes.find(([name]) => name === 'aria-label')?.[1].length).toBeGreaterThan(40);
    }
    expect(page).toContain('<html lang="en">');
  });

  it('shows refused cells by their gate and never as a number', () => {
    expect(page).toContain('<span class="refused">refused: mean_raw_weight</span>');
    expect(page).toMatch(/<text [^>]*>refused: ess<\/text>/);
    expect(page).toContain('<b>What to collect.</b> Use an estimator with fresh draws');
  });

  it('draws the truth where it is known, and only there', () => {
    expect(page).toMatch(/<text [^>]*>truth 0\.587<\/text>/);
    const unknown = renderPage(fakeData({ truth: false }));
    expect(unknown).not.toMatch(/<text [^>]*>truth /);
    expect(unknown).not.toContain('Holds truth');
  });

  it('marks everything that is tempered, and says what that means', () => {
    expect(page).not.toContain('† Tempered');
    const tempered = renderPage(fakeData({ tempered: true }));
    expect(tempered).toContain('<b>†</b> Tempered: the text was sampled');
    expect(tempered).toMatch(/<h3>pi_cot†<\/h3>/);
    expect(tempered).toMatch(/<text [^>]*>pi_cot†<\/text>/);
    expect(tempered).toMatch(/<text [^>]*>0\.\d{3}† \[/);
    expect(tempered).toMatch(/<span class="pm">± 0\.\d{3}<\/span>†/);
  });

  it('stands without any of its parts', () => {
    const bare = { ...data, estimates: [], quality: [], costs: [], policies: [], pricesDate: null };
    const html = renderPage({ ...bare, truth: { available: false, population: null, values: {} } });
    expectNested(tagsOf(html));
    expect(html).toContain('No estimates.');
    const refused = { ...data, estimates: data.estimates.filter(({ status }) => status === 'refused') };
    expectNested(tagsOf(renderPage(refused)));
  });

  it('draws what is out of all proportion without losing the rest', () => {
    const wild = data.estimates.map((row) =>
      row.status === 'ok' && row.ablation === 'ips' ? { ...row, estimate: 40, lower: -900, upper: 980 } : row,
    );
    const html = renderPage({ ...data, estimates: wild });
    expect(html).not.toMatch(/NaN|Infinity|undefined/);
    const rows = wild.filter((row): row is EstimatedRow => row.status === 'ok' && row.policy === 'pi_cot');
    const { from, to } = usefulRange(rows, [0.587]);
    expect(from).toBeGreaterThan(0.2);
    expect(to).toBeLessThan(1);
  });
});

const HOSTILE = [
  '</script><script>alert(1)</script>',
  '</style></svg><img src=x onerror=alert(1)>',
  '" onload="alert(1)" x="',
  "' onload='alert(1)",
  '<!--',
  ']]><b>',
  '\u001b[31mred\u001b[0m',
  '{a|b} {value} ${x} <%= y %>',
  'url(#zr0-c0)',
  '\u202egnp.exe',
] as const;

describe('what came from data', () => {
  const known = tagsOf(renderPage(small()));
  // What stands between backticks is set as what one types, whoever wrote it.
  const names = new Set([...known.map(({ name }) => name), 'code']);
  const attributes = new Set(known.flatMap((tag) => tag.attributes.map(([name]) => name)));
  const expectHarmless = (html: string) => {
    const tags = tagsOf(html);
    expectNested(tags);
    const strange = tags.flatMap((tag) => [
      ...(names.has(tag.name) ? [] : [tag.name]),
      ...tag.attributes.flatMap(([name]) => (attributes.has(name) ? [] : [name])),
    ]);
    expect(strange).toEqual([]);
    expect(html.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
  };

  it.each(HOSTILE)('is shown and never obeyed: %j', (poison) => {
    const html = renderPage(poisoned(small(), poison));
    expectHarmless(html);
    if (escapeHtml(poison) !== poison) expect(html).not.toContain(poison);
    expect(html).toContain(escapeHtml(poison));
  });

  it('adds no tag and no attribute, whatever it is', () => {
    fc.assert(
      fc.property(anyText({ minLength: 1, maxLength: 40 }), (poison) => {
        expectHarmless(renderPage(poisoned(small(), poison)));
      }),
      { numRuns: 6, examples: [['one ` mark'], ['`a` <b>']] },
    );
  });
});

describe('the same data', () => {
  it('gives the same bytes however much was drawn before', () => {
    expect(renderReport(fakeData())).toEqual(renderReport(fakeData()));
    expect(renderPage(data)).toBe(page);
  });

  it('gives the same bytes in a fresh process, in any time zone and language', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cje-report-'));
    try {
      const here = dirname(fileURLToPath(import.meta.url));
      const entry = [
        `import { createHash } from 'node:crypto';`,
        `import { renderReport } from ${JSON.stringify(resolve(here, '../../src/report/render/index.ts'))};`,
        `import { fakeData } from ${JSON.stringify(resolve(here, 'fake-data.ts'))};`,
        `renderReport(fakeData({ seed: 9 }));`,
        `process.stdout.write(createHash('sha256').update(JSON.stringify(renderReport(fakeData()))).digest('hex'));`,
      ].join('\n');
      const outfile = join(folder, 'render.mjs');
      await build({
        stdin: { contents: entry, resolveDir: here, loader: 'ts' },
        bundle: true,
        platform: 'node',
        format: 'esm',
        outfile,
        logLevel: 'silent',
      });
      writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
      const env = { ...process.env, TZ: 'Asia/Tokyo', LANG: 'de_DE.UTF-8', LC_ALL: 'de_DE.UTF-8' };
      const there = execFileSync(process.execPath, [outfile], { encoding: 'utf8', env });
      expect(there).toBe(
        createHash('sha256')
          .update(JSON.stringify(renderReport(fakeData())))
          .digest('hex'),
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('has ids of our own in its drawings', () => {
    expect(page).not.toMatch(/zr\d+-/);
    expect(page).not.toContain('ecmeta');
    const svg =
      '<svg width="9"><g clip-path="url(#zr12-c0)"><text>id="zr12-c0" url(#zr12-c0)</text></g><path id="zr12-c0"></path></svg>';
    const tidy = tidySvg(svg, { width: 9, height: 9, description: 'd' }, 'chart1');
    expect(tidy).toContain('clip-path="url(#chart1-c0)"');
    expect(tidy).toContain('<path id="chart1-c0">');
    expect(tidy).toContain('<text>id="zr12-c0" url(#zr12-c0)</text>');
  });
});
