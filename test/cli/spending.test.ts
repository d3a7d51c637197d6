/** What commands hold a purchase to: approval, caps, calls in flight, and the exit code where they end it. */

import { afterEach, describe, expect, it } from 'vitest';
import { type PricedProject, pricedProject } from '../helpers/priced-project.ts';
import type { Ran } from '../helpers/project.ts';
import { type ChatRequest, policiesAndJudge } from '../servers/chat-only.ts';

let at: PricedProject;
afterEach(() => at.close());

/** Answers of a thousand tokens, which are three times as dear as is guessed. */
const long = (request: ChatRequest) => policiesAndJudge(request).padEnd(4000);

const problems = ({ events }: Ran) => events.flatMap(({ type, problem }) => (type === 'problem' ? [problem.id] : []));
const ends = ({ events }: Ran) =>
  events.filter(({ type }) => type === 'started' || type === 'finished').map(({ type }) => type);

describe('a build', () => {
  const build = (...more: string[]) => at.cje('build', 'responses', '--json', ...more);

  it('asks nobody before it is approved, and then everybody', async () => {
    at = await pricedProject();
    const refused = await build();
    expect([refused.exit, refused.finished.exit, problems(refused)]).toEqual([3, 3, ['CJE-NOT-APPROVED']]);
    expect(at.server.asked).toHaveLength(0);
    const built = await build('--yes');
    expect([built.exit, built.finished.calls.bought, at.server.asked.length]).toEqual([0, 20, 20]);
    // All of the 16 that the provider file allows, where nothing is said.
    expect(at.together()).toBeGreaterThan(3);
  });

  it('stops at the calls and at the dollars that it is given, in place of the pipeline’s own', async () => {
    at = await pricedProject();
    at.project.edit('pipeline.yaml', 'confirm_above: 1 ', 'confirm_above: 1, max_calls: 3 ');
    const own = await build('--yes');
    expect([own.exit, problems(own), at.server.asked.length]).toEqual([3, ['CJE-BUDGET-REACHED'], 3]);
    const more = await build('--yes', '--max-calls', '5');
    expect([more.exit, at.server.asked.length]).toEqual([3, 8]);
    at.project.edit('pipeline.yaml', 'max_calls: 3', 'max_cost: 1.05');
    // A cap is an approval; an answer takes 1.024 dollars at most.
    const capped = await build();
    expect([capped.exit, problems(capped)]).toEqual([3, ['CJE-BUDGET-REACHED']]);
    expect(capped.finished.cost.billed).toBeGreaterThan(0);
    expect(capped.finished.cost.billed).toBeLessThan(1.05);
    expect(at.server.asked.length).toBeLessThan(20);
    const less = at.server.asked.length;
    expect((await build('--max-cost', '1')).exit).toBe(3);
    expect(at.server.asked).toHaveLength(less);
    expect([(await build('--max-cost', '20')).exit, at.server.asked.length]).toEqual([0, 20]);
  });

  it('that costs too little to be asked for never spends what would have been', async () => {
    at = await pricedProject({ confirmAbove: 8, answer: long });
    const ran = await build();
    expect([ran.exit, problems(ran)]).toEqual([3, ['CJE-BUDGET-REACHED']]);
    expect(ran.finished.cost.billed).toBeGreaterThan(6);
    expect(ran.finished.cost.billed).toBeLessThanOrEqual(8);
    const approved = await build('--yes');
    expect([approved.exit, at.server.asked.length]).toEqual([0, 20]);
  });

  it('has as many calls in flight as it is told', async () => {
    at = await pricedProject();
    expect((await build('--yes', '-j', '3')).exit).toBe(0);
    expect(at.together()).toBe(3);
  });

  it('buys nothing offline, and needs no approval for it', async () => {
    at = await pricedProject();
    const offline = await build('--offline');
    expect([offline.exit, offline.finished.exit, at.server.asked.length]).toEqual([1, 1, 0]);
  });

  it('of a saved plan is approved by it, makes its targets, and nothing that it does not say', async () => {
    at = await pricedProject();
    expect((await at.cje('plan', 'responses/brief', '--out', 'plan.json')).exit).toBe(0);
    const built = await at.cje('build', '--plan', 'plan.json', '--json');
    expect([built.exit, at.server.asked.length]).toEqual([0, 10]);
    const other = await at.cje('build', 'responses/thorough', '--plan', 'plan.json', '--yes', '--json');
    expect([other.exit, problems(other), at.server.asked.length]).toEqual([3, ['CJE-PLAN-CHANGED'], 10]);
  });

  it('is held to a plan of what is asked again by who asks for the same', async () => {
    at = await pricedProject({ confirmAbove: 100 });
    await build();
    const again = ['--ask-again', 'responses/brief:q3'];
    expect((await at.cje('plan', 'responses', '--out', 'plan.json')).exit).toBe(0);
    const more = await at.cje('build', '--plan', 'plan.json', ...again, '--json');
    expect([more.exit, problems(more), at.server.asked.length]).toEqual([3, ['CJE-PLAN-CHANGED'], 20]);
    expect((await at.cje('plan', 'responses', ...again, '--out', 'plan.json')).exit).toBe(0);
    const same = await at.cje('build', '--plan', 'plan.json', ...again, '--json');
    expect([same.exit, at.server.asked.length]).toEqual([0, 21]);
  });

  it('is approved at the price of its lane', async () => {
    at = await pricedProject();
    at.project.edit('configs/providers.yaml', 'concurrency: 16', 'batch: { api: openai }\n    concurrency: 16');
    const asked = async (...more: string[]) => {
      const { exit, events } = await build(...more);
      const { headline } = events.find(({ type }) => type === 'problem')!.problem;
      return [exit, /cost (\S+),/.exec(headline)?.[1]];
    };
    expect(await asked()).toEqual([3, '$7.00']);
    expect(await asked('--lane', 'batch')).toEqual([3, '$3.50']);
    at.project.edit(
      'pipeline.yaml',
      'providers: configs/providers.yaml }',
      'providers: configs/providers.yaml, lane: batch }',
    );
    expect([await asked(), await asked('--lane', 'online')]).toEqual([
      [3, '$3.50'],
      [3, '$7.00'],
    ]);
    expect(at.server.asked).toHaveLength(0);
    at.project.edit('configs/providers.yaml', 'batch: { api: openai }\n    ', '');
    const none = await build('--lane', 'batch');
    expect([none.exit, problems(none)]).toEqual([2, ['CJE-BAD-OPTION']]);
  });

  it('ends with 1 where a node fails, and goes on with others where it is told to', async () => {
    // The judge of short answers says nothing that can be read.
    const answer = (request: ChatRequest) => {
      const said = policiesAndJudge(request);
      return said.startsWith('{') && !/About this.*About this/.test(JSON.stringify(request.messages))
        ? 'no verdict'
        : said;
    };
    at = await pricedProject({ confirmAbove: 100, answer });
    const scores = (...more: string[]) => at.cje('build', 'scores', '-j', '1', '--json', ...more);
    const stopped = await scores();
    expect([stopped.exit, stopped.finished.exit]).toEqual([1, 1]);
    const done = ({ events }: Ran) =>
      events.flatMap(({ type, node, outcome }) => (type === 'node-finished' ? [`${node} ${outcome}`] : []));
    const going = await scores('-k');
    const both = ['scores/brief failed', 'scores/thorough run'];
    expect(done(stopped)).toEqual(expect.arrayContaining(['scores/brief failed', 'scores/thorough skipped']));
    expect([going.exit, done(going)]).toEqual([1, expect.arrayContaining(both)]);
    // People are told of it, and a build that failed gets no name.
    const named = await at.cje('build', 'scores', '--tag', 'named');
    expect([named.exit, named.stderr.match(/\[(CJE-[A-Z-]+)\]/)?.[1]]).toEqual([1, 'CJE-STOPPED-EARLY']);
    expect((await at.cje('log')).stdout).not.toContain('named');
  });

  it('ends with 1 where a node that it names is refused whole, and with 0 where the pipeline names it', async () => {
    at = await pricedProject({ confirmAbove: 100 });
    const ran = await at.cje('build', 'estimates/naive', '--json');
    expect([ran.exit, ran.finished.nodes]).toMatchObject([1, { refused: 1, failed: 0 }]);
    at.project.edit('pipeline.yaml', 'default: report', 'default: estimates/naive');
    const whole = await at.cje('build', '--force', 'estimates/naive', '--json');
    expect([whole.exit, whole.finished.nodes]).toMatchObject([0, { refused: 1, failed: 0 }]);
  });

  it('asks again for what it is told, and for that alone', async () => {
    at = await pricedProject();
    await build('--yes', '--tag', 'first');
    const item = await build('--yes', '--ask-again', 'responses/brief:q3');
    expect([item.exit, at.server.asked.length]).toEqual([0, 21]);
    const node = await build('--yes', '--ask-again', 'responses/brief');
    expect([node.exit, at.server.asked.length]).toEqual([0, 31]);
    const forced = await build('--force', 'responses/brief');
    expect([forced.exit, forced.finished.nodes.run, at.server.asked.length]).toEqual([0, 1, 31]);
    expect((await at.cje('log')).stdout).toMatch(/ first +3 +20 /);
  });

  it('tries a canary under the same approval and caps, and finishes nothing', async () => {
    at = await pricedProject({ confirmAbove: 2 });
    const refused = await build('--canary', '8');
    expect([refused.exit, problems(refused), at.server.asked.length]).toEqual([3, ['CJE-NOT-APPROVED'], 0]);
    // Two of them are below what is asked for.
    const tried = await build('--canary', '2');
    expect([tried.exit, tried.finished.calls.bought, tried.finished.build, at.server.asked.length]).toEqual([
      0,
      2,
      null,
      2,
    ]);
    expect(tried.finished.cost.billed).toBeGreaterThan(0);
    expect(ends(tried)).toEqual(['started', 'finished']);
    const capped = await build('--canary', '8', '--yes', '--max-calls', '3');
    expect([capped.exit, capped.finished.exit, at.server.asked.length]).toEqual([3, 3, 5]);
  });
});

describe('a gate', () => {
  const gate = (...more: string[]) =>
    at.cje('gate', '--baseline', 'brief', '--candidate', 'thorough', '--on', 'judge', '--json', ...more);
  const told = ({ events }: Ran) => events.find(({ type }) => type === 'gate');

  it('asks nobody before what all prompts would cost is approved', async () => {
    at = await pricedProject();
    const refused = await gate('--margin', '0.5');
    expect([refused.exit, problems(refused), at.server.asked.length]).toEqual([3, ['CJE-NOT-APPROVED'], 0]);
    const passed = await gate('--margin', '0.5', '--yes');
    expect([passed.exit, told(passed)!.verdict, at.server.asked.length]).toEqual([0, 'pass', 40]);
    expect(at.together()).toBeGreaterThan(3);
    expect([passed.finished.exit, passed.finished.calls.bought]).toEqual([0, 40]);
  });

  it('is undecided where its caps end it, and tells why in one stream', async () => {
    at = await pricedProject();
    const calls = await gate('--margin', '0.5', '--yes', '--max-calls', '6');
    expect([calls.exit, told(calls)!.end, at.server.asked.length]).toEqual([8, 'budget', 6]);
    expect([problems(calls), ends(calls)]).toEqual([['CJE-BUDGET-REACHED'], ['started', 'finished']]);
    expect(calls.finished).toMatchObject({ exit: 8, calls: { bought: 6 } });
    const dollars = await gate('--margin', '0.5', '--max-cost', '1.05');
    expect([dollars.exit, told(dollars)!.end]).toEqual([8, 'budget']);
    expect(dollars.finished.cost.billed).toBeLessThan(1.05);
    at.project.edit('pipeline.yaml', 'confirm_above: 1 ', 'confirm_above: 1, max_calls: 2 ');
    const before = at.server.asked.length;
    expect((await gate('--margin', '0.5', '--yes')).exit).toBe(8);
    expect(at.server.asked).toHaveLength(before + 2);
    at.project.edit('pipeline.yaml', 'max_calls: 2', 'max_cost: 1');
    expect((await gate('--margin', '0.5', '--yes')).exit).toBe(8);
    expect(at.server.asked).toHaveLength(before + 2);
  });

  it('that costs too little to be asked for never spends what would have been', async () => {
    at = await pricedProject({ confirmAbove: 15, answer: long });
    const ran = await gate('--margin', '0.5');
    expect([ran.exit, told(ran)!.end]).toEqual([8, 'budget']);
    expect(ran.finished.cost.billed).toBeGreaterThan(12);
    expect(ran.finished.cost.billed).toBeLessThanOrEqual(15);
    const approved = await gate('--margin', '0.5', '--yes');
    expect([approved.exit, at.server.asked.length]).toEqual([0, 40]);
  });

  it('of a few prompts is approved at their price', async () => {
    at = await pricedProject({ confirmAbove: 3 });
    expect((await gate('--margin', '0.01')).exit).toBe(3);
    const few = await gate('--margin', '0.01', '--max-prompts', '2');
    expect([few.exit, told(few)!.end, at.server.asked.length]).toEqual([8, 'no-more-prompts', 8]);
  });

  it('looks after each step, at as many prompts and calls at once as it is told', async () => {
    at = await pricedProject();
    const ran = await gate('--margin', '0.01', '--yes', '--step', '3', '--max-prompts', '7', '-j', '2');
    expect(ran.events.filter(({ type }) => type === 'look').map(({ prompts }) => prompts)).toEqual([3, 6, 7]);
    expect([ran.exit, told(ran)!.end, at.together()]).toEqual([8, 'no-more-prompts', 2]);
    expect(at.server.asked).toHaveLength(28);
    // What can be lost by chance is what α says.
    expect(told(ran)).toMatchObject({ alpha: 0.05, margin: 0.01, dataset: 'dataset' });
    expect(told(await gate('--margin', '0.01', '--yes', '--max-prompts', '7', '--alpha', '0.2'))).toMatchObject({
      alpha: 0.2,
    });
  });
});
