/** `docs/own-experiment.md`: every command of it, in order, on a server that speaks chat and nothing else. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { emptyProject, type Project, projectIn, ROOT, removeProject } from '../helpers/project.ts';
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

const page = readFileSync(join(ROOT, 'docs/own-experiment.md'), 'utf8');
const commands = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block]) => block!.trim().split('\n'));

async function run(project: Project, line: string): Promise<{ exit: number | null; out: string; err: string }> {
  const [, ...words] = line.replace(/^\w+=\S+ /, '').split(' ');
  const child = project.start(words[0] === 'init' ? [...words, '--base-url', server.baseUrl] : words);
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

it('is true', async () => {
  expect(commands).toHaveLength(7);
  const prompts = Array.from({ length: 40 }, (_, index) => JSON.stringify({ prompt: `What is ${index} squared?` }));
  parent.write('my.jsonl', prompts.join('\n'));
  let project = parent;
  let said = '';
  for (const line of commands) {
    if (line.startsWith('cd ')) {
      project = projectIn(join(project.folder, line.slice(3)));
      continue;
    }
    if (line.includes('--responses')) {
      const rows = prompts.map((_, index) => `q${index},What is ${index}?,It is ${index}.,It is ${index} indeed.`);
      project.write('answers.csv', ['id,prompt,brief,thorough', ...rows].join('\n'));
    }
    const { exit, out, err } = await run(project, line);
    expect([line, exit, err]).toEqual([line, 0, '']);
    said = out;
    if (!line.includes('--format labels')) continue;
    const sheet = project.read('labels.csv');
    expect(sheet.split('\r\n')[0]).toBe('text_id,prompt,response,label');
    project.write(
      'labels.csv',
      sheet.replaceAll(/,\r\n/g, (_, at: number) => `,${(at % 4) + 2}\r\n`),
    );
  }
  expect(said).toContain('Made ');
  const ranked = await run(projectIn(join(parent.folder, 'my-exp')), 'cje build');
  expect(ranked.out).toContain('Ranking by direct-augmented');
  const judged = await run(projectIn(join(project.folder, 'judged')), 'cje build');
  expect([judged.exit, judged.out]).toEqual([0, expect.stringContaining('Judge scores (no ranking) by naive')]);
}, 120_000);
