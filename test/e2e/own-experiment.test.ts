/** An experiment of one's own on a server that speaks chat and nothing else: from nothing to a ranking with labels. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Event, emptyProject, type Project, projectIn, removeProject } from '../helpers/project.ts';
import { type ChatServer, policiesAndJudge, startChatServer } from '../servers/chat-only.ts';

let parent: Project;
let server: ChatServer;
beforeEach(async () => {
  parent = emptyProject();
  server = await startChatServer({ answer: policiesAndJudge, schemas: false });
});
afterEach(async () => {
  removeProject(parent);
  await server.close();
});

const PROMPTS = 40;
const prompts = Array.from({ length: PROMPTS }, (_, index) =>
  JSON.stringify({ question: `Question ${index}: what is ${index} times ${index}?` }),
);

/** The server answers from this very process, so the command must not be waited for by standing still. */
async function run(project: Project, ...args: string[]): Promise<{ exit: number | null; out: string; err: string }> {
  const child = project.start(args);
  let [out, err] = ['', ''];
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const exit = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { exit, out, err };
}

async function build(project: Project, ...args: string[]): Promise<Event> {
  const before = server.asked.length;
  const { out, err } = await run(project, 'build', '--json', ...args);
  const finished = JSON.parse(out.trim().split('\n').at(-1) ?? '{}') as Event;
  expect([finished.exit, finished.calls?.bought, err]).toEqual([0, server.asked.length - before, '']);
  return finished;
}

async function begin(...more: string[]): Promise<Project> {
  parent.write('my.jsonl', prompts.join('\n'));
  const made = await run(
    parent,
    ...['init', 'mine', '--prompts', 'my.jsonl', '--policies', 'brief,thorough'],
    ...['--model', 'local-model', '--base-url', server.baseUrl, ...more],
  );
  expect([made.exit, made.err]).toEqual([0, '']);
  return projectIn(join(parent.folder, 'mine'));
}

/** The policy in the first row: without labels it has no rank. */
const ranking = (project: Project): string =>
  /\n\| (?:Rank \| )?Policy .*\n.*\n\| (?:1 \| )?(\w+)/.exec(project.read('out/report/report.md'))?.[1] ?? '';

describe("an experiment of one's own", () => {
  it('is few files, and is built as it is; each edit asks for what it changed and nothing else', async () => {
    const mine = await begin();
    const files = readdirSync(mine.folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.length).toBeLessThanOrEqual(8);
    expect(mine.read('pipeline.yaml').split('\n').length).toBeLessThanOrEqual(60);
    expect((await build(mine)).calls.bought).toBe(4 * PROMPTS);
    expect(ranking(mine)).toBe('thorough');

    // A sheet, filled in and read back.
    expect((await run(mine, 'export', '--format', 'labels', '-o', 'labels.csv')).out).toMatch(
      /^Wrote 32 texts to label/,
    );
    const sheet = mine.read('labels.csv');
    expect(sheet).not.toMatch(/brief|thorough/);
    // `"So it is."` or not decides what this person says of an answer.
    mine.write(
      'labels.csv',
      sheet.replaceAll(/,\r\n/g, (_, at: number) => `,${(at % 4) + 2}\r\n`),
    );
    expect((await build(mine)).calls.bought).toBe(0);
    expect(mine.read('out/labels/rows.jsonl').trim().split('\n')).toHaveLength(32);

    // The sheet keeps what people wrote, columns of their own too, and gets what it lacks; a file of something else stays.
    const filled = mine.read('labels.csv').replaceAll('\r\n', ',note\r\n');
    const cut = filled.split('\r\n').filter((_, index) => index !== 3);
    mine.write('labels.csv', cut.join('\r\n'));
    expect((await run(mine, 'export', '--format', 'labels', '-o', 'labels.csv')).out).toMatch(/^Wrote 1 text to /);
    expect(mine.read('labels.csv')).toMatch(/,note\r\n[0-9a-f]{32},[^\r\n]*,,\r\n$/);
    expect(mine.read('labels.csv').startsWith(cut.join('\r\n'))).toBe(true);
    expect((await run(mine, 'export', '--format', 'labels', '-o', 'labels.csv')).out).toMatch(/^Nothing to label/);
    mine.write('labels.csv', filled);
    mine.write('other.csv', 'a,b\n1,2\n');
    const other = await run(mine, 'export', '--format', 'labels', '-o', 'other.csv');
    expect([other.exit, other.err]).toEqual([2, expect.stringContaining('its columns are not those of a sheet')]);

    // A line on top asks for its own answers and scores alone.
    mine.write('my.jsonl', `${JSON.stringify({ question: 'A new one on top?' })}\n${prompts.join('\n')}`);
    expect((await build(mine)).calls.bought).toBe(4);

    // A third policy.
    mine.edit('pipeline.yaml', '[brief, thorough]', '[brief, thorough, curt]');
    mine.write(
      'configs/policies/curt.yaml',
      mine
        .read('configs/policies/brief.yaml')
        .replace('style: brief', 'style: curt')
        .replace('draw: brief', 'draw: curt'),
    );
    expect((await build(mine)).calls.bought).toBe(2 * (PROMPTS + 1));

    // Another rubric, then more draws of the judge.
    mine.edit('configs/judge.yaml', 'partly useful', 'useful in part');
    mine.edit('configs/judge.yaml', 'temperature: 0', 'temperature: 1');
    expect((await build(mine)).calls.bought).toBe(3 * (PROMPTS + 1));
    mine.edit('configs/judge.yaml', 'scale: [1, 5]', 'scale: [1, 5]\ndraws: 5');
    expect((await build(mine)).calls.bought).toBe(4 * 3 * (PROMPTS + 1));

    // An edited policy makes its labels stale, and the build says how many.
    mine.edit('configs/policies/brief.yaml', 'style: brief', 'style: very brief');
    const { out } = await run(mine, 'build');
    expect(out).toMatch(/labels: \d+ labels are stale and unused/);
    expect(await build(mine)).toMatchObject({ nodes: { run: 0 }, calls: { bought: 0 } });
  }, 120_000);

  it('takes answers that are there already, in a column for each policy, with labels', async () => {
    const rows = Array.from(
      { length: PROMPTS },
      (_, index) => `${index},What is ${index}?,"It is ${index}.","It is ${index}, I am sure."`,
    );
    parent.write('answers.csv', ['id,prompt,brief,thorough', ...rows].join('\n'));
    const labels = rows
      .slice(0, 30)
      .map((_, index) => `${index},${index % 2 === 0 ? 'brief' : 'thorough'},${(index % 5) + 1}`);
    parent.write('people.csv', ['prompt_id,policy,label', ...labels].join('\n'));
    const made = await run(
      parent,
      ...['init', 'mine', '--responses', 'answers.csv', '--policies', 'brief,thorough', '--labels', 'people.csv'],
      ...['--judge-model', 'local-model', '--base-url', server.baseUrl],
    );
    expect([made.exit, made.err]).toEqual([0, '']);
    const mine = projectIn(join(parent.folder, 'mine'));
    expect((await build(mine)).calls.bought).toBe(2 * PROMPTS);
    expect(mine.read('out/labels/rows.jsonl').trim().split('\n')).toHaveLength(30);
    expect(await build(mine)).toMatchObject({ nodes: { run: 0 } });
  }, 60_000);

  it('says what is missing before anything is written', async () => {
    parent.write('my.jsonl', prompts.join('\n'));
    for (const [args, said] of [
      [['--policies', 'a,b'], /policies need prompts/],
      [['--policies', 'a,b', '--prompts', 'my.jsonl'], /no model answers/],
      [['--policies', 'a,a', '--prompts', 'my.jsonl', '--model', 'm'], /"a" is named twice/],
      [['--policies', 'a/b', '--prompts', 'my.jsonl', '--model', 'm'], /"a\/b" cannot be the name/],
      [['--policies', 'a,b', '--prompts', 'my.jsonl', '--model', 'm', '--base-url', 'x'], /not an address/],
      [['--policies', 'a,b', '--prompts', 'my.jsonl', '--model', 'm', '--key', 'sk-1'], /NAME of an environment/],
      [['--prompts', 'my.jsonl', '--model', 'm'], /--model is of an experiment of your own/],
      [['--responses', 'no.csv', '--model', 'm'], /cannot read no.csv/],
    ] as const) {
      const { exit, err } = await run(parent, 'init', 'mine', ...args);
      expect([exit, err]).toEqual([2, expect.stringMatching(said)]);
    }
    expect(readdirSync(parent.folder)).toEqual(['my.jsonl']);
  }, 60_000);
});
