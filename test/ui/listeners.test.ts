import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BuildEvent } from '../../src/core/events.ts';
import type { ExitCode } from '../../src/core/problem.ts';
import { painter } from '../../src/text/paint.ts';
import { columnsOf } from '../../src/text/width.ts';
import { jsonListener } from '../../src/ui/json.ts';
import { createLive } from '../../src/ui/live.ts';
import { plainListener } from '../../src/ui/plain.ts';
import { createScreen } from '../../src/ui/screen.ts';
import { summaryLines } from '../../src/ui/summary.ts';
import { fakeTerminal, fakeTimer, finished, nodeFinished, nodeProgress, nodeStarted, started } from './support.ts';

const RATE_LIMITED = { class: 'transient', reason: 'rate_limited', message: '429 slow down' } as const;
const FILTERED = { class: 'permanent', reason: 'filtered', message: '400 flagged \u001b[2J' } as const;

function live(options: { columns?: number; rows?: number; verbose?: boolean; color?: boolean } = {}) {
  const terminal = fakeTerminal();
  const timer = fakeTimer();
  const { columns = 100, rows = 24, verbose = false, color = false } = options;
  const shown = createLive({ sink: terminal, timer, columns: () => columns, rows: () => rows, color, verbose });
  return { terminal, timer, ...shown };
}

describe('live progress', () => {
  it('draws one line for each node at work and one for the whole, and leaves what is finished above', () => {
    const { terminal, timer, listener, close } = live({ columns: 110 });
    listener(started(36, { prompts: 1, responses: 1, scores: 1, dataset: 1 }));
    expect(terminal.written).toEqual([]);
    listener(nodeStarted('prompts'));
    listener(nodeFinished('prompts', { calls: { bought: 0, cached: 0, failed: 0 }, cost: 0, milliseconds: 90 }));
    listener(nodeFinished('responses/p0', { outcome: 'cached', calls: none, cost: 0 }));
    listener(nodeStarted('scores/deterministic/pi_cot'));
    listener({ type: 'node-items', node: 'scores/deterministic/pi_cot', items: 1000 });
    listener(nodeStarted('dataset'));
    timer.advance(2000);
    listener(
      nodeProgress('scores/deterministic/pi_cot', {
        items: 1000,
        done: 400,
        bought: 360,
        cached: 39,
        failed: 1,
        inFlight: 64,
        cost: 0.004,
      }),
    );
    timer.advance(100);
    expect(terminal.screen()).toEqual([
      '✓ done    prompts    200 items, 0 ms',
      '> scores/deterministic/pi_cot  ████░░░░░░░░    400/1,000  39 cached  1 failed  180/s  $0.0040  ETA 3.0 s',
      '> dataset                      2.0 s',
      '  2 of 36 nodes · 360 bought · $0.0040 · 2.0 s',
    ]);
    expect(terminal.cursorVisible()).toBe(false);

    const none200 = { items: 0, statuses: {}, calls: [] };
    listener(
      nodeFinished('dataset', { outcome: 'refused', reason: 'ess 3 %', summary: none200, cost: 0, calls: none }),
    );
    listener(
      nodeFinished('scores/deterministic/pi_cot', {
        summary: { items: 1000, statuses: { ok: 999, unparseable: 1 }, calls: [] },
        calls: { bought: 960, cached: 39, failed: 1 },
      }),
    );
    const settled = [
      '✓ done    prompts    200 items, 0 ms',
      '! refused dataset    2.1 s',
      '✓ done    scores     999 of 1,000 items, 960 bought, 39 cached, 1 call failed, $0.0132, 2.1 s',
    ];
    expect(terminal.screen()).toEqual(settled);
    expect(terminal.cursorVisible()).toBe(true);
    listener(finished());
    close();
    expect(terminal.screen()).toEqual([
      ...settled,
      'Built in 12.3 s: 3 nodes run, 28 up to date (build 20260504-1)',
      'Calls: 2,400 bought, 300 cached',
      'Billed $0.8512, saved $0.1000; $1.27 to reproduce from nothing',
    ]);
  });

  it('estimates what is left from the rate of lately', () => {
    const { terminal, timer, listener } = live({ columns: 120 });
    listener(started(1));
    listener(nodeStarted('a'));
    for (let second = 1; second <= 30; second++) {
      timer.advance(1000);
      listener(nodeProgress('a', { items: 1000, done: second <= 15 ? second : second * 20 - 285, bought: second }));
    }
    timer.advance(100);
    // 200 items in the last ten seconds, 685 to go.
    expect(terminal.screen()[0]).toMatch(/315\/1,000 {2}1\.0\/s {2}ETA 3\d\.\d s$/);
  });

  it('draws at most ten times a second, and once a second while nothing happens', () => {
    const { terminal, timer, listener } = live();
    listener(started(2));
    listener(nodeStarted('a'));
    timer.advance(0);
    terminal.written.length = 0;
    for (let index = 0; index < 1000; index++) {
      listener(nodeProgress('a', { items: 1000, done: index }));
      if (index % 50 === 0) listener({ type: 'call-failed', node: 'a', item: `${index}`, failure: FILTERED });
      timer.advance(1);
    }
    expect(terminal.written.length).toBeLessThanOrEqual(10);
    expect(terminal.written.length).toBeGreaterThanOrEqual(9);
    terminal.written.length = 0;
    timer.advance(5000);
    expect(terminal.written.length).toBeGreaterThanOrEqual(4);
    expect(terminal.written.length).toBeLessThanOrEqual(6);
  });

  it('keeps to the width and the height of the terminal', () => {
    fc.assert(
      fc.property(fc.integer({ min: 24, max: 140 }), fc.integer({ min: 5, max: 30 }), (columns, rows) => {
        const { terminal, timer, listener } = live({ columns, rows });
        listener(started(40));
        for (let index = 0; index < 20; index++) listener(nodeStarted(`scores/日本語/policy_${'x'.repeat(index * 3)}`));
        for (let index = 0; index < 20; index++) {
          const node = `scores/日本語/policy_${'x'.repeat(index * 3)}`;
          listener(nodeProgress(node, { done: index, bought: index, cached: 7, failed: 2, cost: 0.1 }));
        }
        timer.advance(1500);
        const screen = terminal.screen();
        expect(screen.length).toBeLessThanOrEqual(rows - 2);
        for (const line of screen) expect(columnsOf(line)).toBeLessThan(columns);
        if (rows < 23) expect(screen.at(-2)).toMatch(/and \d+ more$/);
      }),
      { numRuns: 40 },
    );
  });

  it('shows names, reasons and failures without letting them steer the terminal', () => {
    const { terminal, timer, listener, close } = live({ verbose: true, color: true });
    const evil = 'a\u001b[2J\u202e\r\n';
    listener(started(1));
    listener(nodeStarted(evil, evil));
    listener(nodeProgress(evil, { done: 1 }));
    timer.advance(500);
    listener({ type: 'call-retry', node: evil, failure: { ...RATE_LIMITED, message: evil }, waitMilliseconds: 500 });
    listener({ type: 'call-failed', node: evil, item: evil, failure: { ...FILTERED, message: evil } });
    listener({ type: 'provider-stopped', identity: evil, failure: { ...FILTERED, message: evil } });
    listener({ type: 'note', text: evil });
    listener({ type: 'problem', problem: { id: 'CJE-BAD-DATA', headline: evil, hint: evil } });
    listener(nodeFinished(evil, { outcome: 'failed', reason: evil }));
    close();
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what the drawing itself sends
    const own = /\u001b\[(\d+[mA]|J|\?25[lh])|\r\u001b\[J/g;
    expect(terminal.written.join('').replace(own, '')).not.toMatch(/[^\P{Cc}\n]|\p{Bidi_Control}/u);
    expect(terminal.screen().join('\n')).toContain('a\\e[2J\\u{202e}\\r\\n');
  });

  it('uses no colour where none is wanted', () => {
    const { terminal, timer, listener, close } = live();
    listener(started(1));
    listener(nodeStarted('a'));
    timer.advance(100);
    listener(nodeFinished('a', { outcome: 'failed', reason: 'no' }));
    listener(finished({ exit: 1 }));
    close();
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are what is looked for
    expect(terminal.written.join('')).not.toMatch(/\u001b\[\d+m/);
  });

  it('gives the cursor back however it ends, and keeps what was about to be shown', () => {
    const { terminal, timer, listener, close, print } = live();
    listener(started(2));
    listener(nodeStarted('a'));
    timer.advance(10);
    expect(terminal.cursorVisible()).toBe(false);
    print('a table\n');
    listener({ type: 'note', text: 'stopping' });
    close();
    close();
    expect(terminal.cursorVisible()).toBe(true);
    expect(terminal.screen()).toEqual(['a table', '  stopping']);
    listener(nodeStarted('b'));
    timer.advance(5000);
    expect(terminal.screen()).toEqual(['a table', '  stopping']);
  });

  it('says little of many failed calls', () => {
    const { terminal, listener, close } = live();
    listener(started(1));
    listener(nodeStarted('a'));
    for (let index = 0; index < 50; index++) {
      listener({ type: 'call-failed', node: 'a', item: `prompt_${index}`, failure: FILTERED });
    }
    close();
    expect(terminal.screen()).toEqual([
      '  a, prompt_0: filtered: 400 flagged \\e[2J',
      '  a, prompt_1: filtered: 400 flagged \\e[2J',
      '  a, prompt_2: filtered: 400 flagged \\e[2J',
      '  a: more calls failed; --verbose shows each',
    ]);
  });
});

const none = { bought: 0, cached: 0, failed: 0 };

describe('the whole build', () => {
  const planned = (nodes: Extract<BuildEvent, { type: 'planned' }>['nodes'], dollars: number | null): BuildEvent => ({
    type: 'planned',
    calls: 0,
    dollars,
    nodes,
  });
  const footer = ({ terminal }: ReturnType<typeof live>) => terminal.screen().at(-1);

  it('is shown in percent, with dollars of those expected and the time that is left', () => {
    const shown = live({ columns: 80 });
    const { timer, listener } = shown;
    listener(started(4, { responses: 2, scores: 2 }));
    listener(nodeStarted('responses/a'));
    timer.advance(100);
    expect(footer(shown)).toBe('  0 of 4 nodes · 0 bought · $0 · 0 ms');
    const half = { items: 100, dollars: 0.5 };
    listener(planned({ 'responses/a': half, 'responses/b': half, 'scores/a': half, 'scores/b': half }, 2));
    listener(nodeProgress('responses/a', { done: 0, items: 100 }));
    timer.advance(1_000);
    listener(nodeProgress('responses/a', { done: 40, items: 100, bought: 40, cost: 0.1 }));
    timer.advance(100);
    // 40 of 404 (items, and nodes); $0.10, and $0.30 to come of this node and $1.50 of the others; 360 items at 40 in 1.2 s.
    expect(footer(shown)).toBe('  9 % · 0 of 4 nodes · 40 bought · $0.1000 of about $1.90 · 1.2 s · ETA 10.8 s');

    // What a node has come to takes the place of what it was expected to.
    listener(nodeFinished('responses/a', { cost: 0.2, calls: { bought: 100, cached: 0, failed: 0 } }));
    listener(nodeStarted('responses/b'));
    timer.advance(100);
    expect(footer(shown)).toMatch(/^ {2}\d+ % · 1 of 4 nodes · 100 bought · \$0\.2000 of about \$1\.70 /);
    for (const node of ['responses/b', 'scores/a'])
      listener(nodeFinished(node, { outcome: 'skipped', calls: none, cost: 0 }));
    listener(nodeStarted('scores/b'));
    timer.advance(100);
    expect(footer(shown)).toContain('$0.2000 of about $0.7000');
  });

  it('says what it has spent where a price is unknown or nothing is known, and leaves out least where room is short', () => {
    const shown = live({ columns: 40 });
    shown.listener(started(1));
    shown.listener(planned({ a: { items: 10, dollars: null } }, null));
    shown.listener(nodeStarted('a'));
    shown.timer.advance(1000);
    shown.listener(nodeProgress('a', { done: 5, items: 10, cost: 1, bought: 5 }));
    shown.timer.advance(100);
    expect(footer(shown)).toBe('  45 % · 5 bought · $1.00 · ETA 1.1 s');
    expect(shown.terminal.screen().at(-2)).toBe('> a   5/10  4.5/s  $1.00  ETA 1.1 s');
  });
});

describe('plain progress', () => {
  function plain(verbose = false) {
    const lines: string[] = [];
    const timer = fakeTimer();
    const sink = { write: (text: string) => lines.push(text) };
    return { lines, timer, listener: plainListener({ sink, timer, color: false, verbose }) };
  }

  it.each([
    [3, 'answered as x1 (9), x2 (8), x3 (7), '],
    [4, 'answered as x1 (9), x2 (8), x3 (7) and 1 more, '],
  ])('names three of %i other models that answered', (others, text) => {
    const { lines, listener } = plain();
    listener(started(1, { responses: 1 }));
    listener(nodeStarted('responses/a'));
    const served = Array.from({ length: others }, (_, index) => ({ name: `x${index + 1}`, replies: 9 - index }));
    const usage = { calls: 40, inputTokens: 1, cachedInputTokens: 0, outputTokens: 1 };
    const tally = { identity: 'x', model: 'm', ...usage, served };
    listener(nodeFinished('responses/a', { summary: { items: 40, statuses: { ok: 40 }, calls: [tally] } }));
    expect(lines.join('')).toContain(text);
  });

  it('is a line for each stage as it ends, and nothing else', () => {
    const { lines, timer, listener } = plain();
    listener(started(9, { prompts: 1, responses: 2, scores: 2, estimates: 2, dataset: 1, report: 1 }));
    listener(nodeFinished('prompts', { outcome: 'cached', calls: none, cost: 0 }));
    listener(nodeStarted('responses/a'));
    listener(nodeStarted('responses/b'));
    timer.advance(60_000);
    listener(nodeProgress('responses/a', { done: 5, bought: 5 }));
    const served = [
      { name: 'm-2', replies: 20 },
      { name: 'm', replies: 180 },
    ];
    const tally = {
      identity: 'x',
      model: 'm',
      calls: 200,
      inputTokens: 1,
      cachedInputTokens: 0,
      outputTokens: 1,
      served,
    };
    listener(nodeFinished('responses/a', { summary: { items: 200, statuses: { ok: 200 }, calls: [tally] } }));
    expect(lines).toEqual([]);
    listener(nodeFinished('responses/b', { outcome: 'cached', calls: none, cost: 0 }));
    listener(nodeStarted('scores/a'));
    listener(
      nodeFinished('scores/a', { outcome: 'failed', reason: 'no', summary: { items: 0, statuses: {}, calls: [] } }),
    );
    listener(nodeFinished('scores/b', { outcome: 'skipped', calls: none, cost: 0 }));
    listener(nodeStarted('estimates/x'));
    listener(nodeFinished('estimates/x', { outcome: 'failed', unfinished: true, calls: none, cost: 0 }));
    listener(nodeFinished('estimates/y', { outcome: 'skipped', calls: none, cost: 0 }));
    for (const node of ['dataset', 'report'])
      listener(nodeFinished(node, { outcome: 'skipped', calls: none, cost: 0 }));
    expect(lines.join('').split('\n')).toEqual([
      '✓ done    responses  2 nodes, 400 items, 200 bought, $0.0132, answered as m-2 (20), 1 min 00 s',
      '✗ FAILED  scores     2 nodes, 1 failed, 1 skipped, 200 items, 200 bought, $0.0132, 0 ms',
      '- stopped estimates  2 nodes, 1 unfinished, 1 skipped, 400 items, 0 ms',
      '',
    ]);
  });

  it('if asked, says when a node starts and ends, and how far it is at tenths and at least every ten seconds', () => {
    const { lines, timer, listener } = plain(true);
    listener(started(3));
    listener(nodeFinished('prompts', { outcome: 'cached', calls: none, cost: 0 }));
    listener(nodeStarted('scores/x', 'params.judge changed'));
    listener({ type: 'node-items', node: 'scores/x', items: 200 });
    for (let second = 1; second <= 40; second++) {
      timer.advance(1000);
      listener(nodeProgress('scores/x', { done: second, bought: second, cost: second / 1000, inFlight: 8 }));
    }
    timer.advance(500);
    listener(nodeProgress('scores/x', { done: 100, bought: 100 }));
    listener(nodeProgress('scores/x', { done: 150, bought: 150 }));
    listener(nodeProgress('scores/x', { done: 200, bought: 200 }));
    listener(nodeFinished('scores/x'));
    listener(nodeFinished('dataset', { outcome: 'skipped', reason: 'scores/y has no result', calls: none, cost: 0 }));
    expect(lines.join('').split('\n')).toEqual([
      '= cached  prompts',
      '> start   scores/x  params.judge changed',
      '  scores/x: 10 of 200 (5 %), 1.0/s, $0.0100, 3 min 10 s left',
      '  scores/x: 20 of 200 (10 %), 1.0/s, $0.0200, 3 min 00 s left',
      '  scores/x: 30 of 200 (15 %), 1.0/s, $0.0300, 2 min 50 s left',
      '  scores/x: 40 of 200 (20 %), 1.0/s, $0.0400, 2 min 40 s left',
      '✓ done    scores/x                        200 items, 200 bought, $0.0132, 2.1 s',
      '- skipped dataset                         scores/y has no result',
      '',
    ]);
  });

  it('then reports at each tenth when these are more than two seconds apart', () => {
    const { lines, timer, listener } = plain(true);
    listener(started(1));
    listener(nodeStarted('a'));
    for (let done = 1; done <= 200; done++) {
      timer.advance(200);
      listener(nodeProgress('a', { done, bought: done }));
    }
    const shares = lines.flatMap((line) => /\((\d+) %\)/.exec(line)?.[1] ?? []);
    expect(shares).toEqual(['10', '20', '30', '40', '50', '60', '70', '80', '90']);
  });

  it('tells of failures, budgets and problems', () => {
    const { lines, timer, listener } = plain(true);
    listener(started(2));
    listener(nodeStarted('a'));
    listener({ type: 'call-retry', node: 'a', failure: RATE_LIMITED, waitMilliseconds: 1500 });
    listener({ type: 'call-failed', node: 'a', item: 'prompt_7', failure: FILTERED });
    timer.advance(10_000);
    listener(nodeProgress('a', { done: 5, failed: 1 }));
    listener({
      type: 'provider-stopped',
      identity: 'https://api.example',
      failure: { class: 'fatal', reason: 'no_credit', message: '402 pay' },
    });
    listener({ type: 'budget-reached', limit: 'cost', spent: 4.98, bound: 5 });
    listener({ type: 'budget-reached', limit: 'calls', spent: 1, bound: 1 });
    listener({ type: 'note', text: 'took over the lock' });
    listener({ type: 'problem', problem: { id: 'CJE-BAD-DATA', headline: 'a failed', hint: 'try again' } });
    listener(nodeFinished('a', { outcome: 'failed', reason: 'no credit', cost: 0.5 }));
    listener(nodeFinished('b', { outcome: 'cached', calls: none, cost: 0 }));
    expect(lines.join('').split('\n')).toEqual([
      '> start   a  never built',
      '  a: trying again in 1.5 s: rate limited: 429 slow down',
      '  a, prompt_7: filtered: 400 flagged \\e[2J',
      '  a: 5 of 200 (2 %), 1 failed, 1 retry, 6 min 30 s left',
      '  https://api.example is asked no more: no credit: 402 pay',
      '  the budget of $5.00 is reached ($4.98 so far); nothing more is bought',
      '  the budget of 1 call is reached (1 call so far); nothing more is bought',
      '  took over the lock',
      'error: a failed [CJE-BAD-DATA]',
      '  hint: try again',
      '✗ FAILED  a                               no credit, 200 bought, $0.5000',
      '= cached  b',
      '',
    ]);
  });
});

describe('the closing lines', () => {
  const text = (fields: Parameters<typeof finished>[0]) => summaryLines(finished(fields), painter(false)).join('\n');
  const idle = { nodes: { run: 0, cached: 31, failed: 0, refused: 0, skipped: 0 }, calls: none, build: null };

  it('say that there was nothing to do', () => {
    const cost = { billed: 0, saved: 0, reproduce: 1.27 };
    expect(text({ ...idle, cost })).toBe('Nothing to do: 31 nodes up to date, 0 calls; $1.27 to reproduce');
    expect(text({ ...idle, cost: { ...cost, reproduce: null }, nodes: { ...idle.nodes, cached: 0, refused: 1 } })).toBe(
      'Nothing to do: 1 node up to date (1 refused), 0 calls',
    );
  });

  it.each([
    [
      { exit: 1, nodes: { run: 2, cached: 5, failed: 1, refused: 2, skipped: 3 } } as const,
      'Failed in 12.3 s: 2 nodes run, 5 up to date, 2 refused, 1 failed, 3 skipped (build 20260504-1)',
    ],
    [
      { exit: 3, nodes: { run: 2, cached: 0, failed: 5, refused: 0, skipped: 53 } } as const,
      'Stopped in 12.3 s: 2 nodes run, 5 unfinished, 53 skipped (build 20260504-1)',
    ],
    [
      { exit: 130, nodes: { run: 1, cached: 0, failed: 2, refused: 0, skipped: 0 } } as const,
      'Interrupted in 12.3 s: 1 node run, 2 unfinished (build 20260504-1)',
    ],
    [{ exit: 130 } as const, 'Interrupted in 12.3 s: 3 nodes run, 28 up to date (build 20260504-1)'],
  ])('say how it ended: %o', (fields, first) => {
    expect(text(fields).split('\n')).toEqual([
      first,
      'Calls: 2,400 bought, 300 cached',
      'Billed $0.8512, saved $0.1000; $1.27 to reproduce from nothing',
      'What was bought is kept: the next build goes on from here.',
    ]);
  });

  it('are short where nothing was begun', () => {
    const nothing = { ...idle, nodes: { ...idle.nodes, cached: 0 } };
    expect(text({ ...nothing, exit: 4 })).toBe('Not built: another build holds the lock');
    expect(text({ ...nothing, exit: 2 })).toBe('Not built');
  });
});

it('a build that waits says how it goes on', () => {
  const lines = summaryLines(
    finished({ exit: 6, nodes: { run: 0, cached: 1, failed: 0, refused: 0, skipped: 2 } }),
    painter(false),
  );
  expect(lines.at(-1)).toMatch(/^Build again later/);
});

it('what batches spare is told beside the bill, and not as saved', () => {
  const cost = { billed: 1, unknown: 0, saved: 0, discount: 0.5, reproduce: null };
  expect(summaryLines(finished({ cost }), painter(false)).at(-1)).toBe(
    'Billed $1.00 ($0.5000 less than online, by batches), saved $0',
  );
});

describe('JSON events', () => {
  it('are one line each, and the very events', () => {
    const lines: string[] = [];
    const listener = jsonListener({ write: (text) => lines.push(text) });
    const events: BuildEvent[] = [
      started(3),
      { type: 'note', text: 'line\nfeed \u2028 \u009b \u202e "quoted"' },
      finished({ cost: { billed: 0, saved: 0, reproduce: null } }),
    ];
    for (const event of events) listener(event);
    expect(lines.every((line) => line.endsWith('\n') && line.indexOf('\n') === line.length - 1)).toBe(true);
    expect(lines.map((line) => JSON.parse(line))).toEqual(events);
    expect(lines.join('')).not.toMatch(/[^\P{Cc}\n]|\p{Bidi_Control}/u);
  });
});

describe('the screen', () => {
  const output = (isTTY: boolean) => {
    const terminal = fakeTerminal();
    return { terminal, stdout: { ...terminal, isTTY, columns: 80, rows: 24 } };
  };

  it('shows JSON alone when asked to', () => {
    const { terminal, stdout } = output(true);
    const screen = createScreen({ json: true, verbose: false, color: true, stdout });
    screen.print('a table');
    screen.note('stopping');
    screen.close();
    expect(terminal.written).toEqual(['{"type":"note","text":"stopping"}\n']);
  });

  it('is live in a terminal and plain elsewhere', () => {
    for (const isTTY of [true, false]) {
      const { terminal, stdout } = output(isTTY);
      const listening = process.listenerCount('exit');
      const timer = fakeTimer();
      const screen = createScreen({ json: false, verbose: false, color: false, stdout, timer });
      screen.listener(started(1));
      screen.listener(nodeStarted('a'));
      timer.advance(0);
      screen.note('stopping');
      screen.print('a table\n');
      expect(terminal.cursorVisible()).toBe(!isTTY);
      screen.close();
      expect(terminal.cursorVisible()).toBe(true);
      expect(process.listenerCount('exit')).toBe(listening);
      const kept = ['  stopping', 'a table'];
      expect(terminal.screen()).toEqual(kept);
    }
  });
});

it.each<[ExitCode, number, boolean]>([
  [1, 0, false],
  [1, 1, true],
  [3, 1, true],
  [0, 1, false],
])('a build that ends with %i and bought %i says that it is kept: %s', (exit, bought, isSaid) => {
  const { nodes } = finished();
  const calls = { bought, cached: 0, failed: 0 };
  const text = summaryLines({ ...finished({ exit }), nodes: { ...nodes, run: 2 }, calls }, (_, each) => each).join();
  expect(text.includes('What was bought is kept')).toBe(isSaid);
});
