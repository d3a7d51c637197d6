/**
 * What servers are known to do wrong, over real HTTP and with the real store: what becomes of the rows and of the books,
 * and who asks again. Each case has a server and a folder of its own and mostly waits for the disk, so they run side by
 * side.
 */

import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { openSession } from '../../src/cli/compose.ts';
import type { BuildEvent } from '../../src/core/events.ts';
import { type BuildOutcome, build } from '../../src/engine/build/build.ts';
import type { BuildOptions } from '../../src/engine/options.ts';
import { type HostileServer, hostileServer, type Mode } from '../servers/hostile.ts';

const ITEMS = 4;

interface Lab {
  readonly server: HostileServer;
  /** One build of the stage; a build of answers first, where the stage is of scores. */
  run(mode: Mode, options?: Partial<BuildOptions>, target?: string): Promise<Ran>;
}

interface Ran {
  readonly outcome: BuildOutcome;
  readonly requests: number;
  /** Dollars that the server charged for this build. */
  readonly bill: number;
  readonly statuses: readonly string[];
  readonly events: readonly BuildEvent[];
}

const opened: (() => Promise<void> | void)[] = [];
afterAll(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

async function lab(stage: 'responses' | 'scores', { tolerate = 1, items = ITEMS } = {}): Promise<Lab> {
  const server = await hostileServer();
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'cje-faults-')));
  opened.push(
    () => rmSync(folder, { recursive: true, force: true }),
    () => server.close(),
  );
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  write('prompts.jsonl', Array.from({ length: items }, (_, index) => `{"prompt":"Ask ${index}"}\n`).join(''));
  write('policy.yaml', "model: m\ndraw: p0\ntemperature: 1\nmax_tokens: 40\nprompt: '{{prompt}}'\n");
  write('judge.md', 'Rate.\n{{prompt}}\n{{response}}\n');
  write('judge.yaml', 'model: m\nmax_tokens: 40\ntemplate: judge.md\noutput: score\nattempts: 1\n');
  write('prices.yaml', 'date: 2026-01-01\nmodels:\n  hostile: { input: 1, output: 4 }\n');
  write(
    'providers.yaml',
    `providers:
  lab: { type: openai, base_url: '${server.url}', concurrency: 2, attempts: 2, timeout_seconds: 5 }
models:
  m: { provider: lab, model: hostile, template: chatml }
prices: prices.yaml
`,
  );
  write(
    'pipeline.yaml',
    `name: faults
default: [${stage === 'responses' ? 'responses' : 'scores'}]
budget: { confirm_above: 100 }
profiles: { here: { providers: providers.yaml } }
stages:
  prompts: { kind: prompts, params: { source: prompts.jsonl, samples: ${items}, seed: 1, language: any } }
  responses:
    kind: responses
    matrix: { policy: [p0] }
    inputs: { prompts: prompts }
    params: { policy: policy.yaml }
    tolerate: ${tolerate}
  scores:
    kind: scores
    inputs: { responses: responses/p0 }
    params: { judge: judge.yaml }
    tolerate: ${tolerate}
`,
  );
  const { signal } = new AbortController();
  const wanted = stage === 'responses' ? 'responses/p0' : 'scores';
  const run = async (mode: Mode, options: Partial<BuildOptions> = {}, target = wanted): Promise<Ran> => {
    const events: BuildEvent[] = [];
    const session = await openSession({
      file: join(folder, 'pipeline.yaml'),
      profile: undefined,
      set: [],
      readOnly: false,
      emit: (event) => void events.push(event),
      bundle: pathToFileURL(`${folder}/`),
    });
    server.mode = mode;
    const [requests, bill] = [server.requests, server.bill];
    try {
      const outcome = await build(
        session.graph,
        [target],
        {
          jobs: 2,
          onFailure: 'stop-new',
          force: new Set(),
          offline: false,
          retryFailed: false,
          limits: { maxCost: undefined, maxCalls: undefined, unapprovedCost: undefined },
          command: 'cje build',
          interrupt: signal,
          kill: signal,
          named: new Set(),
          ...options,
        },
        session.ports,
      );
      const text =
        outcome.results.get(target)?.action === undefined
          ? ''
          : readFileSync(join(folder, 'out', target, 'rows.jsonl'), 'utf8');
      const statuses = text
        .split('\n')
        .flatMap((line) => (line === '' ? [] : [(JSON.parse(line) as { status: string }).status]));
      return { outcome, events, statuses, requests: server.requests - requests, bill: server.bill - bill };
    } finally {
      await session.close();
    }
  };
  if (stage === 'scores') await run('well', {}, 'responses/p0');
  return { server, run };
}

type Stage = Parameters<typeof lab>[0];
const all = (status: string) => Array.from({ length: ITEMS }, () => status);
const problems = ({ events }: Ran) => events.flatMap((event) => (event.type === 'problem' ? [event.problem] : []));

describe.concurrent('a reply that is no answer', () => {
  it.each<[Mode, Stage, string]>([
    ['no choices', 'responses', 'malformed_reply'],
    ['no choices', 'scores', 'malformed_reply'],
    ['an empty list of choices', 'responses', 'malformed_reply'],
    ['an empty list of choices', 'scores', 'malformed_reply'],
    ['null for a text', 'responses', 'empty_response'],
    ['null for a text', 'scores', 'empty_response'],
    ['an empty text', 'responses', 'empty_response'],
    ['an empty text', 'scores', 'empty_response'],
    ['white space', 'responses', 'empty_response'],
    ['parts without a text', 'scores', 'malformed_reply'],
    ['a content filter', 'responses', 'filtered'],
    ['a content filter', 'scores', 'filtered'],
    ['a refusal', 'scores', 'refused'],
    ['thoughts alone', 'scores', 'empty_response'],
    ['a score off the scale', 'scores', 'out_of_range'],
    ['prose', 'scores', 'unparseable'],
  ])('%s, in %s: is %s, paid for once, remembered, and asked again when told to', async (mode, stage, status) => {
    const { run } = await lab(stage);
    const first = await run(mode);
    expect(first).toMatchObject({ statuses: all(status), requests: ITEMS, outcome: { exit: 0 } });
    expect(first.outcome.totals.cost).toMatchObject({ unknown: 0 });
    expect(first.outcome.totals.cost.billed).toBeCloseTo(first.bill, 12);

    const plain = await run('well');
    expect(plain).toMatchObject({ statuses: all(status), requests: 0 });
    const again = await run('well', { retryFailed: true });
    expect(again).toMatchObject({ statuses: all('ok'), requests: ITEMS, outcome: { exit: 0 } });
    expect(again.outcome.totals.cost.billed).toBeCloseTo(again.bill, 12);
    expect(await run('well', { retryFailed: true })).toMatchObject({ requests: 0 });
    expect(await run('well')).toMatchObject({ statuses: all('ok'), requests: 0 });
  });
});

describe.concurrent('an answer', () => {
  it.each<[Mode, Stage, string]>([
    ['well', 'responses', 'ok'],
    ['parts of a text', 'responses', 'ok'],
    ['parts of a text', 'scores', 'ok'],
    ['an end by length', 'responses', 'truncated'],
  ])('%s, in %s: is read, is %s, and is not asked again', async (mode, stage, status) => {
    const { run } = await lab(stage);
    const first = await run(mode);
    expect(first).toMatchObject({ statuses: all(status), requests: ITEMS, outcome: { exit: 0 } });
    expect(first.outcome.totals.cost.billed).toBeCloseTo(first.bill, 12);
    expect(await run('well')).toMatchObject({ requests: 0 });
    expect(await run('well', { retryFailed: true })).toMatchObject({ statuses: all(status), requests: 0 });
  });

  it.each<Mode>([
    'a usage of zero',
    'no usage',
    'null for a usage',
    'a usage of input alone',
    'a negative usage',
    'a usage in texts',
    'a usage without end',
    'a usage beyond all counting',
    'a usage beyond all contexts',
  ])('with %s is an answer, and costs an unknown sum that is no less than the bill', async (mode) => {
    const { run } = await lab('responses');
    const first = await run(mode);
    expect(first).toMatchObject({ statuses: all('ok'), requests: ITEMS });
    expect(first.outcome.totals.cost.billed).toBe(0);
    expect(first.outcome.totals.cost.unknown).toBeGreaterThanOrEqual(first.bill);
    expect(first.events).toContainEqual(
      expect.objectContaining({ type: 'note', text: expect.stringContaining('booked as unknown') }),
    );
    const capped = await lab('responses');
    const limits = {
      maxCost: (2 * first.outcome.totals.cost.unknown!) / ITEMS,
      maxCalls: undefined,
      unapprovedCost: undefined,
    };
    const stopped = await capped.run(mode, { limits });
    expect(stopped).toMatchObject({ requests: 2, outcome: { exit: 3 } });
  });
});

describe.concurrent('a refusal by limit', () => {
  it.each<[Mode, Stage]>([
    ['a 429 with a usage', 'responses'],
    ['a limit beside a usage', 'scores'],
    ['a limit inside a choice', 'responses'],
    ['a limit inside a choice', 'scores'],
    ['a limit alone', 'responses'],
    ['a limit inside a choice without a usage', 'scores'],
  ])('%s, in %s: is waited for, uses up no try, and is billed by what it counts', async (mode, stage) => {
    const { server, run } = await lab(stage);
    const before = server.requests;
    // More in a row than two calls of two tries have.
    server.onRequest = () => {
      server.mode = server.requests - before <= 6 ? mode : 'well';
    };
    const ran = await run(mode);
    expect(ran).toMatchObject({ statuses: all('ok'), requests: ITEMS + 6, outcome: { exit: 0 } });
    expect(ran.outcome.totals.cost).toMatchObject({ unknown: 0 });
    expect(ran.outcome.totals.cost.billed).toBeCloseTo(ran.bill, 12);
    const reasons = ran.events.flatMap((event) => (event.type === 'call-retry' ? [event.failure.reason] : []));
    expect(new Set(reasons)).toEqual(new Set(['rate_limited']));
    server.onRequest = () => {};
    expect(await run('well')).toMatchObject({ requests: 0 });
  });

  it.each<Mode>(['a 429 with a usage', 'a limit beside a usage', 'a limit inside a choice'])(
    '%s that is charged without end ends at the cap',
    async (mode) => {
      const { run } = await lab('responses');
      const limits = { maxCost: 0.0007, maxCalls: undefined, unapprovedCost: undefined };
      const ran = await run(mode, { limits });
      expect(ran).toMatchObject({ outcome: { exit: 3 } });
      expect(ran.requests).toBeGreaterThan(2);
      expect(ran.bill).toBeLessThanOrEqual(limits.maxCost);
      expect(ran.outcome.totals.cost.billed).toBeCloseTo(ran.bill, 12);
    },
  );
});

it.concurrent('a usage beyond its request is billed as told, is named once, and the cap holds with it', async () => {
  const { run } = await lab('responses');
  const first = await run('a usage beyond its request');
  const billed = ITEMS * (1 + (4 * 10) / 1e6);
  expect(first.outcome.totals.cost.billed).toBeCloseTo(billed, 9);
  const told = first.events.filter(({ type, ...event }) => type === 'note' && JSON.stringify(event).includes('allows'));
  expect(told).toHaveLength(1);
  const capped = await lab('responses');
  const limits = { maxCost: 0.001, maxCalls: undefined, unapprovedCost: undefined };
  const stopped = await capped.run('a usage beyond its request', { limits });
  // What was in flight when the first one told it.
  expect(stopped).toMatchObject({ requests: 2, outcome: { exit: 3 } });
});

it.concurrent('thoughts that are in the total alone are billed, and the cap holds over them', async () => {
  const { run } = await lab('responses');
  const first = await run('thoughts counted in the total alone');
  // 40 read and 10 generated, at $1 and $4 a million.
  expect(first.outcome.totals.cost.billed).toBeCloseTo((ITEMS * (40 + 4 * 10)) / 1e6, 12);
});

it.concurrent('an error inside a message is none of the judge, and is tried again', async () => {
  const { run } = await lab('scores');
  const first = await run('an error inside a message');
  expect(first.outcome.exit).toBe(1);
  expect(first.outcome.totals.cost.billed).toBeCloseTo(first.bill, 12);
  expect(await run('well')).toMatchObject({ statuses: all('ok'), requests: ITEMS });
});

describe.concurrent('a try that failed', () => {
  it.each<[Mode, 'billed' | 'maybe' | 'free']>([
    ['an error inside a choice', 'billed'],
    ['an end by error', 'billed'],
    ['an error beside a usage', 'billed'],
    ['a 500 with a usage', 'billed'],
    ['a cut body', 'maybe'],
    ['a page of HTML', 'maybe'],
    ['a reset', 'maybe'],
    ['a 502', 'maybe'],
    ['a 500', 'free'],
  ])('by %s is made again, is booked each time as %s, and the next build asks again', async (mode, books) => {
    const { run } = await lab('responses');
    const first = await run(mode);
    expect(first.outcome.exit).toBe(1);
    expect(problems(first)[0]).toMatchObject({ id: 'CJE-RETRIES-SPENT' });
    // Not all make their second try: a model that answers nothing is soon asked by one call alone.
    expect(first.requests).toBeGreaterThan(ITEMS);
    expect(first.requests).toBeLessThanOrEqual(2 * ITEMS);
    const { billed, unknown = 0 } = first.outcome.totals.cost;
    expect(billed).toBeCloseTo(books === 'billed' ? first.bill : 0, 12);
    if (books === 'maybe') expect(unknown).toBeGreaterThanOrEqual(first.bill);
    expect(unknown > 0).toBe(books === 'maybe');
    expect(await run('well')).toMatchObject({ statuses: all('ok'), requests: ITEMS });
  });

  it('for good is free, and asked again only when told to', async () => {
    const { run } = await lab('responses');
    expect(await run('a 400')).toMatchObject({ statuses: all('rejected'), requests: ITEMS });
    expect(await run('well')).toMatchObject({ requests: 0 });
    expect(await run('well', { retryFailed: true })).toMatchObject({ statuses: all('ok'), requests: ITEMS });
  });
});

describe.concurrent('a provider that answers garbage to everything', () => {
  it.each<[Mode, Stage, number]>([
    ['no choices', 'responses', 0.05],
    ['an empty text', 'responses', 0.3],
    ['a 400', 'responses', 0.05],
    ['prose', 'scores', 0.3],
  ])('(%s, in %s) is asked for the first items and the window, and says so', async (mode, stage, tolerate) => {
    const items = 60;
    const { run } = await lab(stage, { tolerate, items });
    const first = await run(mode);
    expect(first.outcome.exit).toBe(1);
    expect(first.requests).toBeLessThanOrEqual(20 + 2);
    const [problem] = problems(first);
    expect(problem).toMatchObject({ id: 'CJE-STOPPED-EARLY', hint: expect.stringContaining('--retry-failed') });
    expect(problem!.headline).toMatch(/stopped: \d+ of .*are unusable/);
    expect(first.outcome.totals.cost.billed).toBeCloseTo(first.bill, 12);

    expect((await run(mode)).requests).toBeLessThanOrEqual(20 + 2);
    const mended = await run('well', { retryFailed: true });
    expect(mended).toMatchObject({ requests: items, outcome: { exit: 0 } });
    expect(await run('well')).toMatchObject({ requests: 0 });
  });
});
