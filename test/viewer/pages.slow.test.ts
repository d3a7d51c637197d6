import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { BuildProgress } from '../../src/core/build-progress.ts';
import { ProblemError } from '../../src/core/problem.ts';
import type { EstimatedRow } from '../../src/datasets/results.ts';
import type { ShownCall } from '../../src/engine/explain/show.ts';
import { openaiChat } from '../../src/protocols/openai-chat/chat.ts';
import { openStore } from '../../src/store/store.ts';
import { verbatim } from '../../src/text/verbatim.ts';
import { answer } from '../../src/viewer/answer.ts';
import { NOW } from '../../src/viewer/model/build-source.ts';
import type { Comparison } from '../../src/viewer/model/comparison.ts';
import type { OpenBuild } from '../../src/viewer/model/open-build.ts';
import { links } from '../../src/viewer/parts/links.ts';
import { fakeData } from '../report/fake-data.ts';
import { workshop } from '../store/support.ts';
import { logRatioOf, PROMPTS, sourceOf, studyBuild } from './study.ts';

const { folder, open } = workshop();

/** The study without any hostile text, built once: nothing that is asked of it changes it. */
let plain: OpenBuild;
beforeAll(async () => {
  const place = mkdtempSync(join(tmpdir(), 'cje-pages-'));
  const store = openStore(join(place, '.cache'));
  plain = await studyBuild(store);
  return async () => {
    await store.close();
    rmSync(place, { recursive: true, force: true });
  };
});

const get = async (run: OpenBuild, address: string) => (await answer(address, sourceOf(run))).body;

/** A page's text as it is read: tags taken out, entities back to characters. */
const read = (page: string): string =>
  page
    .replace(/<[^>]*>/g, ' ')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&amp;/g, '&')
    .replace(/\s+/g, ' ');

const itemLinks = (page: string): string[] =>
  [...page.matchAll(/<a href="[^"]*\/item\?id=([^"&]*)/g)].map(([, id]) => decodeURIComponent(id!));

describe('the list of items', () => {
  it('comes in pages that are linked', async () => {
    const first = await get(plain, links.items(NOW));
    expect(itemLinks(first)).toEqual(Array.from({ length: 50 }, (_, index) => `p${index}`));
    expect(read(first)).toContain('1–50 of 120');
    expect(first).not.toMatch(/<a rel="prev"/);
    const last = await get(plain, links.items(NOW, { offset: 100 }));
    expect(itemLinks(last)).toEqual(Array.from({ length: 20 }, (_, index) => `p${100 + index}`));
    expect(last).toContain(`<a rel="prev" href="${links.items(NOW, { offset: 50 })}"`);
    expect(last).not.toMatch(/<a rel="next"/);
    expect(itemLinks(await get(plain, links.items(NOW, { offset: 5000 })))).toEqual([]);
  });

  it('puts the largest weights first', async () => {
    const ids = itemLinks(await get(plain, links.items(NOW, { order: 'weight:pi' })));
    const byWeight = Array.from({ length: PROMPTS }, (_, index) => index).sort((a, b) => logRatioOf(b) - logRatioOf(a));
    expect(ids).toEqual(byWeight.slice(0, 50).map((index) => `p${index}`));
  });

  it('puts first where the oracle is furthest from what the judge says', async () => {
    // All labels are 0.5 but this one, and the calibration gives rewards from 0.4 to 0.6.
    expect(itemLinks(await get(plain, links.items(NOW, { order: 'disagreement', scorer: 'first' })))[0]).toBe('p50');
  });

  it('is narrowed by text, labels and failures', async () => {
    expect(itemLinks(await get(plain, links.items(NOW, { text: 'WHAT IS 11?' })))).toEqual(['p11']);
    expect(itemLinks(await get(plain, links.items(NOW, { text: 'pi says' })))).toHaveLength(50);
    expect(itemLinks(await get(plain, links.items(NOW, { only: 'failures' })))).toEqual(['p7']);
    expect(itemLinks(await get(plain, links.items(NOW, { only: 'labelled' })))).toHaveLength(PROMPTS / 10);
    expect(read(await get(plain, links.items(NOW, { text: 'no such text' })))).toContain('No item is like that.');
  });
});

describe('an item', () => {
  it('says why judges scored as they did, and what a model thought before it answered', async () => {
    const page = read(await get(plain, links.item(NOW, 'p3')));
    expect(page.match(/second 0\.\d+ ± 0\.100 (?:→ 0\.\d+ )?It is thin/g)).toHaveLength(2);
    expect(page).not.toMatch(/first 0\.\d+ (?:→ 0\.\d+ )?It is/);
    expect(page.match(/Thoughts before the answer Let me see/g)).toHaveLength(1);
  });

  it('shows every policy, judge and label of one prompt', async () => {
    const page = await get(plain, links.item(NOW, 'p50'));
    const text = read(page);
    for (const part of ['What is 50?', 'p0 says', 'pi says', '0.500', '0.550', '1.000']) expect(text).toContain(part);
    expect(text).toContain(`${logRatioOf(50).toFixed(2)}`.replace('-', '−'));
    for (const node of ['responses/pi', 'scores/second/p0', 'logprobs/pi']) {
      expect(page).toContain(`href="${links.calls(NOW, node, 'p50')}"`);
    }
    expect(page).toContain(`href="${links.calls(NOW, 'oracle', 'p0/p50').replace('&', '&amp;')}"`);
  });

  it('leads to its neighbours in the order that it was found in', async () => {
    const query = { order: 'weight:pi' };
    const [first, second, third] = itemLinks(await get(plain, links.items(NOW, query)));
    const page = await get(plain, links.item(NOW, second!, query));
    const href = (id: string) => links.item(NOW, id, query).replace(/&/g, '&amp;');
    expect(page).toContain(`<a rel="prev" href="${href(first!)}"`);
    expect(page).toContain(`<a rel="next" href="${href(third!)}"`);
    expect(read(page)).toContain('2 of 120');
  });

  it('names what has no result in place of a number', async () => {
    const text = read(await get(plain, links.item(NOW, 'p7')));
    expect(text).toContain('refused');
    expect(text).toContain('no_response');
  });

  it('says so where there is none of that name', async () => {
    const { status, body } = await answer(links.item(NOW, 'p999'), sourceOf(plain));
    expect(status).toBe(404);
    expect(read(body)).toContain('There is no item p999');
  });
});

describe('a node', () => {
  it('pages, filters and sorts its rows', async () => {
    const rows = (page: string) => itemLinks(page);
    const name = 'scores/first/pi';
    expect(rows(await get(plain, links.node(NOW, name, { offset: 100 })))).toHaveLength(20);
    expect(rows(await get(plain, links.node(NOW, name, { status: 'no_response' })))).toEqual(['p7']);
    const highest = rows(await get(plain, links.node(NOW, name, { sort: 'score', descending: true })));
    const lowest = rows(await get(plain, links.node(NOW, name, { sort: 'score' })));
    const score = (id: string) => (Number(id.slice(1)) * 13) % 100;
    expect(highest.map(score)).toEqual([...highest.map(score)].sort((a, b) => b - a));
    expect(score(highest[0]!)).toBeGreaterThan(90);
    expect(score(lowest[0]!)).toBe(0);
    expect(rows(await get(plain, links.node(NOW, 'responses/pi', { text: 'SAYS\n42' })))).toEqual(['p42']);
  });

  it('sums up its numbers and its statuses', async () => {
    const text = read(await get(plain, links.node(NOW, 'scores/first/pi')));
    expect(text).toContain('119 of 120');
    expect(text).toContain('1 no_response');
    expect(text).toMatch(/How score is spread over 119 rows/);
    // Of log probabilities what matters is how far they are from the logger's.
    const ratios = read(await get(plain, links.node(NOW, 'logprobs/pi')));
    expect(ratios).toMatch(/How log ratio is spread over 120 rows/);
  });

  it('that is refused says why, and holds no number for what was refused', async () => {
    const text = read(await get(plain, links.node(NOW, 'estimates/first/ips')));
    expect(text).toContain('too few');
    expect(text).toContain('ess');
    expect(text).not.toMatch(/\bestimate [−\d]/);
    expect(text).not.toContain('Median');
  });

  it('that is not there is told from one that is', async () => {
    for (const name of ['scores/first', 'scores/first/pi/', '../prompts', '__proto__', 'constructor']) {
      expect((await answer(`/build/now/node/${name}`, sourceOf(plain))).status).toBe(404);
    }
    expect((await answer('/build/now/file/dataset/first?name=__proto__', sourceOf(plain))).status).toBe(404);
    expect((await answer('/build/now/file/dataset/first?name=../../etc/passwd', sourceOf(plain))).status).toBe(404);
    expect((await answer('/build/now/file/dataset/first?name=quality.json', sourceOf(plain))).status).toBe(200);
  });
});

describe('addresses', () => {
  it('lead from a name that moves to one that stays', async () => {
    const { status, headers } = await answer('/build/newest/items?order=weight%3Api', sourceOf(plain));
    expect([status, headers.Location]).toEqual([302, '/build/now/items?order=weight%3Api']);
  });

  it('that are malformed are no page', async () => {
    const source = sourceOf(plain);
    for (const path of ['/x', '/build', '/build/%ff', '/build/now/%', '/build/now/nothing', '//', '/build/now/node']) {
      expect((await answer(path, source)).status).toBe(404);
    }
    expect((await answer('/build/now/items?from=-3&only=%00&q=%ff', source)).status).toBe(200);
  });

  it('hold any id, and only what differs from the default', () => {
    expect(links.item(NOW, 'a/b ?&#\ud800')).toBe('/build/now/item?id=a%2Fb%20%3F%26%23%EF%BF%BD');
    expect(links.items(NOW, { text: '', only: 'all', offset: 0 })).toBe('/build/now/items');
  });
});

const HOSTILE = [
  '</pre></textarea></title><script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onfocus='alert(1)' autofocus='",
  '<!-- --!><style>*{display:none}</style>',
  '\u001b[31mred\u001b[0m\u0007\u0000',
  '\u202egnp.exe\u2066\u200b\ufeff',
  'half \ud800 and \udfff',
  'javascript:alert(1)',
  '${7*7} {{x}} &lt;b&gt; &#60;',
] as const;

function hostileCalls(poison: string): ShownCall[] {
  const raw = JSON.stringify({ choices: [{ message: { content: poison } }], note: poison });
  const bought = {
    model: poison,
    identity: poison,
    cost: 1e-5,
    boughtAt: 0,
    node: poison,
    usage: { inputTokens: 1, cachedInputTokens: 0, outputTokens: 1 },
  };
  const body = { messages: [{ role: poison, content: poison }], prompt: poison, [`x${poison}`]: poison };
  const call = {
    key: 'k',
    identity: poison,
    path: '/chat/completions',
    body,
    draw: poison,
    ...openaiChat.textsOf(body),
    answered: poison,
    history: [],
    raw,
    parsed: { poison },
    failure: null,
    failedAt: null,
    bought,
  };
  return [call, { ...call, raw: poison, failure: poison, failedAt: 0, bought: null }];
}

/** The tags of a page, without what an address or a typed-in value says and without our own marks. */
const tags = (page: string): string[] =>
  [...page.replace(/<span class="mark">U\+[0-9A-F]+<\/span>/g, '').matchAll(/<[^>]*>/g)].map(([tag]) =>
    tag.replace(/ (href|value|id|aria-label|action)="[^"]*"/g, ' $1=""'),
  );

const UNSHOWABLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be in a page
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/u;

describe('hostile text', () => {
  const pages = (id: string) => [
    links.items(NOW),
    links.items(NOW, { text: id }),
    links.item(NOW, id),
    links.node(NOW, 'responses/p0'),
    links.node(NOW, 'scores/second/pi'),
    links.node(NOW, 'estimates/first/ips'),
    links.calls(NOW, 'scores/first/p0', id),
    links.file(NOW, 'responses/p0', 'rows.jsonl'),
    links.graph(NOW),
  ];
  const withCalls = (run: OpenBuild, poison: string): OpenBuild => ({
    ...run,
    calls: (_, item) => ({ item, prompt: item, row: { poison, [poison]: 1 }, calls: hostileCalls(poison) }),
  });

  it.each(HOSTILE)('is shown and never obeyed: %j', async (poison) => {
    // A prompt whose id is no text goes by its number instead; the test below is about that.
    const ids = !/\p{Surrogate}/u.test(poison);
    const hostile = async (text: string) => withCalls(await studyBuild(open(folder()), { poison: text, ids }), text);
    const [plain, poisoned] = [await hostile('X'), await hostile(poison)];
    const [calm, stirred] = [pages(ids ? 'p0X' : 'p0'), pages(ids ? `p0${poison}` : 'p0')];
    for (const [index, address] of stirred.entries()) {
      const { status, body: page } = await answer(address, sourceOf(poisoned));
      expect(status, address).toBe(200);
      expect(tags(page), address).toEqual(tags(await get(plain, calm[index]!)));
      expect(page).not.toMatch(UNSHOWABLE);
    }
  });

  it('stays readable: what cannot be shown is written out', () => {
    expect(verbatim('a\u001b[1mb\u202ec\ud800\r\nd\te').html).toBe(
      'a<span class="mark">U+001B</span>[1mb<span class="mark">U+202E</span>c<span class="mark">U+D800</span>\nd\te',
    );
    expect(verbatim('<b> & "q" \'s\' `t` 漢字 🙂 é').html).toBe(
      '&lt;b&gt; &amp; &quot;q&quot; &#39;s&#39; &#96;t&#96; 漢字 🙂 é',
    );
  });

  it('is cut where it is huge, with a way to all of it', async () => {
    // Half as long again as a page holds of one text; the item's page has six of them.
    const run = await studyBuild(open(folder()), { poison: ` ${'long '.repeat(6_000)}the end`, ids: false });
    const page = await get(run, links.item(NOW, 'p0'));
    expect(page.length).toBeLessThan(160_000);
    expect(page).not.toContain('the end');
    expect(page).toContain('full=1');
    const whole = await get(run, `${links.item(NOW, 'p0')}&full=1`);
    expect(whole).toContain('the end');
    expect(whole.length).toBeGreaterThan(page.length + 3 * 9_000);
    // A hundred rows of one such text each.
    expect((await get(run, links.node(NOW, 'responses/p0'))).length).toBeLessThan(80_000);
  });

  it('is no name, where it is none: such a prompt goes by its number', async () => {
    const run = await studyBuild(open(folder()), { poison: '\ud800' });
    expect(itemLinks(await get(run, links.items(NOW)))[3]).toBe('#3');
    const { status, body } = await answer(links.item(NOW, '#3'), sourceOf(run));
    expect(status).toBe(200);
    expect(read(body)).toContain('What is 3?');
  });
});

describe('every page', () => {
  it('holds no script, style or handler of its own, so that the policy can forbid them', async () => {
    const data = { ...fakeData(), estimates: fakeData().estimates.filter(({ ablation }) => ablation === 'dr-cpo') };
    const run: OpenBuild = { ...plain, reports: () => [{ node: 'prompts', data }] };
    for (const address of [
      links.run(NOW),
      links.graph(NOW),
      links.item(NOW, 'p1'),
      links.node(NOW, 'scores/first/p0'),
    ]) {
      const page = await get(run, address);
      expect(page).not.toMatch(/<style|\sstyle=|\son[a-z]+="|<script(?! src="\/assets\/view\.js" defer><\/script>)/);
      expect(page).not.toMatch(/(?:src|href|action)="(?:https?:)?\/\//);
      expect(page).toMatch(/<html lang="en">[\s\S]*<main id="content"[\s\S]*<h1>/);
    }
  });

  it('names what was refused and gives no number for it', async () => {
    const data = fakeData();
    const refused = data.estimates.filter((row) => row.status === 'refused');
    expect(refused.length).toBeGreaterThan(0);
    const run: OpenBuild = {
      ...plain,
      reports: () => [{ node: 'prompts', data: { ...data, estimates: refused } }],
    };
    const text = read(await get(run, links.run(NOW)));
    for (const { gate } of refused) expect(text).toContain(`refused: ${gate}`);
    expect(text).not.toMatch(/± 0\.\d\d\d (?!scorer)\S*% interval/);
  });
});

describe('a build that runs', () => {
  const holder = { pid: 42, processStart: '', bootId: '', host: 'here', command: 'cje build <b>', since: 0 };

  it('is told on every page, and the first page is how far it is', async () => {
    const source = sourceOf(plain, { building: () => holder });
    const { status, headers } = await answer('/', source);
    expect([status, headers.Location]).toEqual([302, links.graph(NOW)]);
    const { body } = await answer(links.graph(NOW), source);
    expect(read(body)).toMatch(/A build is running since [-\d]+ [:\d]+ \(pid 42\): cje build <b> \./);
    expect(body).toContain('<noscript><meta http-equiv="refresh" content="2"></noscript>');
    expect((await answer(links.items(NOW), source)).body).toContain('data-refresh="2"');
    expect((await answer(links.item(NOW, 'p3'), source)).body).not.toContain('refresh="2"');
  });

  it('shows how many items of a node are settled', async () => {
    const node = {
      ...plain.node('scores/first/pi')!,
      state: 'stale' as const,
      action: undefined,
      summary: undefined,
    };
    const run: OpenBuild = {
      ...plain,
      nodes: plain.nodes.map((each) => (each.name === node.name ? node : each)),
      progress: (name) => (name === node.name ? { done: 30, items: 120, estimated: true } : undefined),
    };
    const { body } = await answer(links.graph(NOW), sourceOf(run, { building: () => holder }));
    expect(body).toContain('<progress value="30" max="120">');
    expect(read(body)).toContain('about 30 of 120');
    expect(body.match(/class="state building"/g)).toHaveLength(1);
  });

  it('says what the build wrote down: share, dollars, and how long yet, of all and of each node', async () => {
    const active = { items: 120, done: 30, bought: 28, cost: 0.0123, rate: 14.2, remaining: 6_300 };
    const progress: BuildProgress = {
      ...{ pid: 42, nodes: 13, finished: 4, bought: 268, cost: 0.25 },
      ...{ share: 0.418, remaining: 75_000, expected: 0.61, active: { 'scores/first/pi': active } },
    };
    const source = sourceOf(plain, { building: () => holder, progress: () => progress });
    const text = read((await answer(links.graph(NOW), source)).body);
    expect(text).toContain('41 % 41 % nodes 4 of 13 bought 268 spent $0.2500 of about $0.6100 left about 1 min 15 s');
    expect(text).toContain('scores/first/pi being built 25 % 30 of 120');
    expect(text).toContain('28 $0.0123');
    expect(text).toContain('14.2/s, about 6.3 s left');
  });

  it('names the mistake of a pipeline that cannot be read on the pages of what was built', async () => {
    const problem = new ProblemError([
      { id: 'CJE-UNKNOWN-KIND', headline: "unknown kind '<b>'", place: { file: 'pipeline.yaml', line: 7 } },
      { id: 'CJE-UNKNOWN-KIND', headline: 'another' },
    ]);
    const { body } = await answer(links.items(NOW), sourceOf(plain, { problem: () => problem }));
    expect(body).not.toContain("'<b>'");
    expect(read(body)).toContain(
      "cannot be read: unknown kind '<b>' at pipeline.yaml:7 , and 1 more mistake. Shown is what",
    );
  });
});

describe('the graph', () => {
  it('draws every stage once, and no way that another one makes plain', async () => {
    const page = await get(plain, links.graph(NOW));
    const boxes = [...page.matchAll(/<text[^>]*class="name">([^<]*)</g)].map(([, name]) => name);
    expect(boxes.sort()).toEqual(['dataset', 'estimates', 'logprobs', 'oracle', 'prompts', 'responses', 'scores']);
    // prompts → responses → logprobs, scores and oracle; nothing here depends on the others.
    expect(page.match(/class="edge"/g)).toHaveLength(4);
  });
});

describe('two builds', () => {
  it('are compared without a number for what is refused', async () => {
    const base = { scorer: 's', ablation: 'ips', estimator: 'ips', policy: 'pi', tempered: false, n: 9 };
    const diagnostics = { ess: 3.25, rawEss: null, meanRawWeight: null, tailIndex: null, maxWeightShare: null };
    const ok = fakeData().estimates.find((row) => row.status === 'ok')!;
    const before = { ...ok, ...base, estimate: 0.123 };
    const after = { ...base, diagnostics, status: 'refused', gate: 'ess', reason: '', collect: '' } as const;
    const record = (id: string) =>
      ({
        id,
        finishedAt: 0,
        profile: 'sim',
        totals: { calls: { bought: 0 }, cost: { billed: 0, reproduce: null } },
      }) as Comparison['before'];
    const moved = (delta: number) => {
      const shown = before as EstimatedRow;
      return { before: shown, after: { ...shown, estimate: shown.estimate + delta }, delta };
    };
    const comparison: Comparison = {
      before: record('a'),
      after: record('b'),
      edits: [
        {
          nodes: ['x'],
          kind: 'scores',
          parts: ['judge prompt'],
          differences: [{ path: 'judge', text: '-<old>\n+<new>\n' }],
        },
      ],
      added: [],
      removed: [],
      same: 1,
      different: 1,
      scores: { changes: [], unchanged: 0 },
      labels: { changes: [], unchanged: 0 },
      estimates: {
        changes: [
          { ...base, type: 'newly-refused', before: before as EstimatedRow, after, leading: true, paired: null },
          { ...base, type: 'moved', ...moved(0.0007), leading: false, paired: null },
          { ...base, type: 'moved', ...moved(-0.0004), leading: false, paired: null },
        ],
        unchanged: 4,
      },
      rankings: [],
    };
    const source = sourceOf(plain, {
      builds: () => [comparison.after, comparison.before],
      resolve: (name) => name,
      compare: async () => comparison,
    });
    const { body } = await answer(links.compare('a', 'b'), source);
    expect(body).toContain('<del>-&lt;old&gt;</del>\n<ins>+&lt;new&gt;</ins>');
    expect(read(body)).toContain('0.123 refused: ess');
    expect(read(body)).not.toContain('3.25');
    // Three decimals show the first move, and would hide the second.
    expect(read(body)).toContain('0.123 0.124 +0.001');
    expect(read(body)).toContain('0.123 0.123 −<0.001');
    expect((await answer(links.compare('a', 'nothing'), source)).status).toBe(404);
  });
});
