/** What the terminal prints, whole, of small values that are set by hand. */

import { describe, expect, it } from 'vitest';
import type { Digest } from '../../src/core/digest.ts';
import type { RegisteredKind } from '../../src/core/kind.ts';
import type { Action, BuildRecord } from '../../src/core/storage.ts';
import type { FailedItem, LooseFailure } from '../../src/engine/explain/failures.ts';
import type { Ledger } from '../../src/engine/explain/ledger.ts';
import type { ShownCall } from '../../src/engine/explain/show.ts';
import type { NodeStatus } from '../../src/engine/explain/status.ts';
import { examplesText } from '../../src/terminal/example-text.ts';
import { ledgerText, logText } from '../../src/terminal/log-text.ts';
import { itemText, nodeText } from '../../src/terminal/show-text.ts';
import { failuresText, statusText } from '../../src/terminal/status-text.ts';
import { buildRecord } from '../helpers/build-record.ts';
import { TOY_KINDS } from '../helpers/toy.ts';

const LINES = (...lines: string[]) => `${lines.join('\n')}\n`;
const KINDS = new Map<string, RegisteredKind>(TOY_KINDS.map((kind) => [kind.name, { kind, code: '1' }]));

const record = (id: string, more: Partial<BuildRecord> = {}) => buildRecord(id, { targets: ['a'], ...more });

const { totals: TOTALS } = record('b');

describe('the log', () => {
  it('lists builds with how they ended, and how many older ones there are', () => {
    const records = [
      record('b3', { exit: 3, targets: ['a', 'b'], totals: { ...TOTALS, calls: { ...TOTALS.calls, bought: 2000 } } }),
      record('b2', { exit: 130, targets: ['a', 'b', 'c'] }),
      record('b1', { exit: 77 }),
    ];
    expect(
      logText(
        records.map((each) => [each]),
        5,
      ),
    ).toBe(
      LINES(
        'build (UTC)  nodes  bought  billed  exit         targets',
        'b3           1,234   2,000   $2.50  stopped      a b · sim',
        'b2           1,234       0   $2.50  interrupted  a and 2 more · sim',
        'b1           1,234       0   $2.50  77           a · sim',
        '',
        '2 older builds: --limit 0 lists all.',
      ),
    );
    expect(logText([], 5)).toBe('No build is recorded yet.\n');
  });

  it('has one line for a gate, with what all its looks bought', () => {
    const bought = (calls: number) => ({ ...TOTALS, calls: { ...TOTALS.calls, bought: calls } });
    const looks = [record('b3', { gate: 'b2', totals: bought(40) }), record('b2', { gate: 'b2', totals: bought(100) })];
    expect(logText([looks, [record('b1')]], 2)).toBe(
      LINES(
        'build (UTC)  nodes  bought  billed  exit   targets',
        'b3           2,468     140   $5.00  built  a gate, 2 looks · sim',
        'b1           1,234       0   $2.50  built  a · sim',
      ),
    );
  });

  it('has a column of what may have been billed where there is any', () => {
    const doubted = { ...TOTALS, cost: { ...TOTALS.cost, unknown: 0.5 } };
    expect(logText([[record('b2', { totals: doubted })], [record('b1')]], 2)).toBe(
      LINES(
        'build (UTC)  nodes  bought  billed  unknown  exit   targets',
        'b2           1,234       0   $2.50  $0.5000  built  a · sim',
        'b1           1,234       0   $2.50       $0  built  a · sim',
      ),
    );
  });

  it('has a column of tags where one is tagged, and says nothing of older builds where there are none', () => {
    expect(logText([[record('b2', { tags: ['v1', 'best'] })], [record('b1', { exit: 1 })]], 2)).toBe(
      LINES(
        'build (UTC)  tag       nodes  bought  billed  exit    targets',
        'b2           v1, best  1,234       0   $2.50  built   a · sim',
        'b1                     1,234       0   $2.50  failed  a · sim',
      ),
    );
  });

  it.each([
    [0, 'built'],
    [1, 'failed'],
    [2, 'bad input'],
    [3, 'stopped'],
    [4, 'locked'],
    [5, 'damaged'],
    [6, 'waiting'],
    [130, 'interrupted'],
  ])('names exit %i %s', (exit, word) => expect(logText([[record('b', { exit })]], 1)).toContain(`  ${word}  `));
});

describe('the ledger', () => {
  const empty: Ledger = {
    builds: [],
    nodes: [],
    models: [],
    unrecorded: { bought: 0, cost: 0, unknown: 0 },
    billed: 0,
    unknown: 0,
    saved: 0,
    discount: 0,
    reproduce: null,
  };

  it('lists what bought or saved something, of the builds that are listed', () => {
    const build = (id: string, bought: number, saved: number, tags: string[] = []) => ({
      id,
      bought,
      saved,
      discount: 0,
      tags,
      cost: 2,
      unknown: 0,
    });
    const builds = [build('b5', 1, 0, ['v1', 'best']), build('b4', 0, 3), build('b3', 0, 0), build('b2', 1000, 1)];
    const ledger: Ledger = {
      ...empty,
      builds,
      nodes: [{ node: 'scores/a', bought: 1001, cost: 6, unknown: 0 }],
      models: [{ identity: 'lab', model: 'm', bought: 1001, cost: 7, unknown: 0 }],
      billed: 8.5,
      saved: 4,
      reproduce: 9,
    };
    expect(
      ledgerText(
        ledger,
        ['b5', 'b4', 'b3'].map((id) => record(id)),
      ),
    ).toBe(
      LINES(
        'By build, newest first',
        'build          bought  billed  saved',
        'b5 (v1, best)       1   $2.00     $0',
        'b4                  0   $2.00  $3.00',
        '',
        'By node, dearest first',
        'node      bought  billed',
        'scores/a   1,001   $6.00',
        '',
        'By model',
        'model  bought  billed',
        'm       1,001   $7.00',
        '',
        'Billed in all  $8.50',
        'Saved by the cache  $4.00',
        'To buy the newest build again from nothing  $9.00',
      ),
    );
  });

  it('lists a build that may have been billed for nothing', () => {
    const build = (id: string, unknown: number) => ({
      id,
      bought: 0,
      saved: 0,
      discount: 0,
      tags: [],
      cost: 0,
      unknown,
    });
    const ledger = { ...empty, builds: [build('b2', 0), build('b1', 3)], unknown: 3 };
    const text = ledgerText(
      ledger,
      ['b2', 'b1'].map((id) => record(id)),
    );
    expect(text).toContain('build  bought  billed  unknown  saved\nb1          0      $0    $3.00     $0\n');
    expect(text).not.toContain('b2');
  });

  it('lists twelve nodes, and tells of what no recorded build bought', () => {
    const nodes = (many: number) =>
      Array.from({ length: many }, (_, index) => ({ node: `n${index}`, bought: 1, cost: 1, unknown: 0 }));
    const text = (ledger: Partial<Ledger>) => ledgerText({ ...empty, ...ledger }, []);
    expect(text({ nodes: nodes(12) })).not.toContain('more');
    expect(text({ nodes: nodes(13), unrecorded: { bought: 1, cost: 0.5, unknown: 0 } })).toContain(
      LINES(
        'n11        1   $1.00',
        '1 more node (--json lists all)',
        '',
        'Outside recorded builds (a canary, or a build that was killed or had no room to write down its end): replies bought 1, $0.5000',
        'Billed in all  $0',
        'Saved by the cache  $0',
        'To buy the newest build again from nothing  unknown',
      ),
    );
    expect(text({ nodes: nodes(13) })).not.toContain('n12');
  });
});

describe('the status', () => {
  const row = (node: string, more: Partial<NodeStatus> = {}): NodeStatus => ({
    node,
    kind: 'answers',
    state: 'up to date',
    items: 3,
    complete: 3,
    lacking: {},
    note: '',
    ...more,
  });

  it('is a line a node, what lacks or why, and what is up to date', () => {
    const rows = [
      row('a'),
      row('b', { state: 'incomplete', complete: 1, lacking: { refused: 1200, filtered: 1 } }),
      row('c', { state: 'stale', items: null, complete: null, note: 'not built yet' }),
      row('d', { state: 'refused', items: 0, complete: 0, note: 'too few', lacking: { refused: 2 } }),
    ];
    expect(statusText(rows, 4000, null, KINDS)).toBe(
      LINES(
        'node  state       complete',
        'a     up to date    3 of 3',
        'b     incomplete    1 of 3  1,200 refused, 1 filtered',
        'c     stale                 not built yet',
        'd     refused               too few',
        '',
        '3 of 4 nodes up to date; 4,000 replies in the cache.',
        'What failed, item by item: cje status --failures',
      ),
    );
  });

  it('points to failures only where calls lack, and names who builds', () => {
    const lock = {
      pid: 12,
      host: 'lab',
      since: Date.UTC(2026, 1, 3),
      command: 'cje build',
      processStart: '',
      bootId: '',
    };
    const rows = [row('a'), row('n', { kind: 'count', lacking: { refused: 1 } })];
    expect(statusText(rows, 1, lock, KINDS)).toBe(
      LINES(
        'node  state       complete',
        'a     up to date    3 of 3',
        'n     up to date    3 of 3  1 refused',
        '',
        '2 of 2 nodes up to date; 1 reply in the cache.',
        'A build is running: pid 12 on lab, since 2026-02-03T00:00:00.000Z.',
      ),
    );
  });
});

describe('failures', () => {
  const failure = { key: 'k', reason: 'refused', message: 'no, thank you', failedAt: 0 };
  const item = (more: Partial<FailedItem> = {}): FailedItem => ({
    node: 'a',
    item: 'i1',
    status: 'refused',
    failure,
    reply: null,
    ...more,
  });
  const loose: LooseFailure = { node: 'b', key: 'k', reason: 'filtered', message: 'never', failedAt: 0 };
  const LOOK = { verbose: false, width: 80 };
  const LAST = 'To ask again for what failed for good: cje build --retry-failed';

  it('are listed by node, with what was said', () => {
    const items = [
      item(),
      item({ item: 'i2', status: 'unparseable', failure: null, reply: '{"text":"x"}' }),
      item({ node: 'c', failure: null }),
    ];
    expect(failuresText({ items, loose: [loose], nodes: [] }, LOOK)).toBe(
      LINES(
        'a: 2 items without a usable reply',
        '  i1  refused: no, thank you',
        '  i2  unparseable: reply {"text":"x"}',
        '',
        'c: 1 item without a usable reply',
        '  i1  refused: nothing was asked',
        '',
        '1 more failure in the ledger, of requests that no finished node asks now',
        '  b  filtered: never',
        '',
        LAST,
      ),
    );
    expect(failuresText({ items: [], loose: [], nodes: [] }, LOOK)).toBe(
      'Nothing failed: every item that was asked for has an answer.\n',
    );
    expect(failuresText({ items: [], loose: [loose], nodes: [] }, LOOK)).toMatch(/^1 more failure /);
    expect(failuresText({ items: [item()], loose: [], nodes: [] }, LOOK)).not.toContain('ledger');
  });

  it('are ten a node unless all are wanted, each cut to the width but never below sixty columns', () => {
    const items = Array.from({ length: 11 }, (_, index) => item({ item: `i${index}` }));
    const more = Array.from({ length: 12 }, (_, index) => ({ ...loose, message: `never ${index}` }));
    const short = failuresText({ items, loose: more, nodes: [] }, LOOK);
    expect(short).toContain('  i9  refused: no, thank you\n  … 1 more (--verbose)\n\n12 more failures');
    expect(short).toContain('never 9\n\nTo ask');
    const long = failuresText({ items, loose: more, nodes: [] }, { ...LOOK, verbose: true });
    expect(long).toContain('  i10  refused: no, thank you\n\n12');
    expect(long).toContain('never 11\n\nTo ask');
    const said = { ...failure, message: 'x'.repeat(200) };
    const widths = (width: number) =>
      failuresText(
        { items: [item({ failure: said })], loose: [{ ...loose, message: said.message }], nodes: [] },
        { ...LOOK, width },
      )
        .split('\n')
        .filter((line) => line.includes('xxx'))
        .map((line) => line.length);
    expect([widths(70), widths(20)]).toEqual([
      [70, 70],
      [60, 60],
    ]);
  });
});

describe('a node', () => {
  const KEY = 'f'.repeat(32) as Digest;
  const action: Action = {
    key: KEY,
    kind: 'answers',
    outputs: { 'rows.jsonl': { digest: KEY, size: 4096 } },
    summary: {
      items: 1200,
      statuses: { ok: 1100, refused: 100 },
      calls: [
        { identity: 'lab', model: 'm', calls: 1201, inputTokens: 5000, cachedInputTokens: 1, outputTokens: 6000 },
      ],
    },
    parts: {},
    finishedAt: Date.UTC(2026, 1, 3),
  };

  it('is shown with what it is made of', () => {
    expect(nodeText('answers/a', 'answers', action, { file: 'rows.jsonl', rows: [{ id: 'w0' }] }, 'out')).toBe(
      LINES(
        'answers/a (answers)',
        `key    ${KEY}`,
        'made   2026-02-03T00:00:00.000Z',
        'items  1,100 of 1,200 (ok 1,100, refused 100)',
        'calls  1,201 to m: 5,000 tokens in, 6,000 out',
        'file   out/answers/a/rows.jsonl (4,096 bytes)',
        '',
        'first 1 rows:',
        '{"id":"w0"}',
      ),
    );
  });

  it('without items, calls or rows says nothing of them', () => {
    const bare = { ...action, summary: { items: 0, statuses: {}, calls: [], refusal: 'nothing was answered' } };
    expect(nodeText('last', 'last', bare, { file: 'rows.jsonl', rows: [] }, 'out')).toBe(
      LINES(
        'last (last)',
        `key    ${KEY}`,
        'made   2026-02-03T00:00:00.000Z',
        'refused: nothing was answered',
        'file   out/last/rows.jsonl (4,096 bytes)',
      ),
    );
  });
});

describe('an item', () => {
  const call: ShownCall = {
    key: 'k1',
    identity: 'lab',
    path: '/chat/completions',
    body: { model: 'm', messages: [{ role: 'user', content: 'one\ntwo' }, 'odd'] },
    draw: 'a',
    texts: [
      { name: 'user', text: 'one\ntwo' },
      { name: 'message', text: 'null' },
    ],
    settings: { model: 'm' },
    answered: null,
    history: [],
    raw: '{"text":[1,2]}',
    parsed: { score: 5 },
    failure: null,
    failedAt: null,
    bought: {
      model: 'm-1',
      identity: 'lab',
      cost: 2,
      boughtAt: Date.UTC(2026, 1, 3),
      usage: { inputTokens: 1000, cachedInputTokens: 0, outputTokens: 2000 },
      node: 'answers/b',
    },
  };
  const text = (...calls: ShownCall[]) => itemText('answers/a', { item: 'w0', row: { ok: true }, calls, beside: {} });

  it('shows what stands beside its row, texts set off', () => {
    const beside = { 'texts.jsonl': [{ policy: 'north', prompt: 'Why?\nSay.', response: null }] };
    const shown = itemText('a', { item: 'w0', row: { ok: true }, calls: [], beside });
    expect(shown).toMatch(
      /texts\.jsonl\n {2}\{\n {4}"policy": "north",\n {4}"response": null\n {2}\}\nprompt\n {2}│ Why\?\n {2}│ Say\.\n$/,
    );
  });

  it('is its row, and each call with what was said', () => {
    expect(text(call)).toBe(
      LINES(
        'w0 of answers/a',
        'row',
        '  {',
        '    "ok": true',
        '  }',
        '',
        'call 1 of 1: /chat/completions of lab',
        'draw a, key k1',
        'request',
        '  {',
        '    "model": "m"',
        '  }',
        'user',
        '  │ one',
        '  │ two',
        'message',
        '  │ null',
        'reply',
        '  {',
        '    "text": [',
        '      1,',
        '      2',
        '    ]',
        '  }',
        'read as',
        '  {',
        '    "score": 5',
        '  }',
        'bought 2026-02-03T00:00:00.000Z from m-1 for $2.00, by answers/b: 1,000 tokens in, 2,000 out',
      ),
    );
  });

  it('says what failed, what could not be read, and what is still to be bought', () => {
    const none = {
      ...call,
      body: { prompt: 'say' },
      texts: [{ name: 'prompt', text: 'say' }],
      settings: {},
      raw: null,
      parsed: null,
      bought: null,
    };
    expect(text(none, { ...none, failure: 'no', failedAt: 0 }, { ...none, failure: 'no' })).toContain(
      LINES(
        'call 1 of 3: /chat/completions of lab',
        'draw a, key k1',
        'request',
        '  {}',
        'prompt',
        '  │ say',
        'not bought yet',
        '',
        'call 2 of 3: /chat/completions of lab',
        'draw a, key k1',
        'request',
        '  {}',
        'prompt',
        '  │ say',
        'failed for good (1970-01-01T00:00:00.000Z): no',
        '',
        'call 3 of 3: /chat/completions of lab',
        'draw a, key k1',
        'request',
        '  {}',
        'prompt',
        '  │ say',
        'failed for good: no',
      ),
    );
    const unread = text({
      ...call,
      body: { prompt: [1, 2] },
      texts: [{ name: 'prompt', text: '[1,2]' }],
      raw: 'no JSON',
      failure: 'no text',
      bought: null,
    });
    expect(unread).toMatch(/prompt\n {2}│ \[1,2\]\nreply\n {2}"no JSON"\ncould not be read: no text\n$/);
    expect(text({ ...call, bought: { ...call.bought!, cost: null } })).toContain(' for an unknown price, by');
    expect(itemText('a', { item: 'w0', row: null, calls: [], beside: {} })).toBe(
      'w0 of a\nnot settled: a reply is missing\n',
    );
  });

  it('shows twelve of a list, or six and how many more', () => {
    const shown = (length: number) =>
      text({ ...call, raw: JSON.stringify({ list: Array.from({ length }, (_, i) => i) }) });
    expect(shown(12)).toContain('      11\n    ]');
    expect(shown(13)).toContain('      5,\n      "… 7 more (--json has them)"\n    ]');
  });
});

describe('requests that change', () => {
  const look = { color: false, width: 80 };
  const change = (item: string, name: string, before: string | null, after: string | null) => ({
    node: 'scores/a',
    item,
    call: 0,
    texts: [{ name, before, after }],
  });

  it('are drawn once where they change alike', () => {
    const examples = [
      change('i1', 'user', 'old', 'new'),
      change('i2', 'user', 'old', 'new'),
      change('i3', 'settings', null, 'new'),
      change('i4', 'user', 'old', 'new'),
    ];
    expect(examplesText(examples, look)).toBe(
      LINES(
        '',
        'Requests that change (4 examples):',
        '',
        'scores/a i1, likewise scores/a i2, scores/a i4',
        '  @@ line 1 @@',
        '  -old',
        '  +new',
        '',
        'scores/a i3',
        '  settings',
        '  @@ line 1 @@',
        '  +new',
      ),
    );
  });

  it('name each text where there are several', () => {
    const [{ texts, ...rest }] = [change('i1', 'system', 'a', null)];
    const two = { ...rest, texts: [...texts, { name: 'user', before: 'b', after: 'c' }] };
    expect(examplesText([two], look)).toMatch(/\(1 example\)[\s\S]* {2}system\n[\s\S]*-a\n {2}user\n/);
  });
});
