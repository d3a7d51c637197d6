/** An experiment as `cje init` makes it, built on a server that speaks chat and nothing else, with a sheet that is filled in. */

import { join } from 'node:path';
import { type ChatRequest, type ChatServer, policiesAndJudge, startChatServer } from '../servers/chat-only.ts';
import { emptyProject, type Project, projectIn } from './project.ts';

interface OwnOptions {
  readonly prompts: number;
  readonly answer?: (request: ChatRequest) => string;
}

/** Runs the command while this process goes on: the server answers from here. @throws where it fails */
export async function runBeside(project: Project, ...args: readonly string[]): Promise<void> {
  const child = project.start(args);
  let said = '';
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  const exit = await new Promise<number | null>((resolve) => child.on('close', resolve));
  if (exit !== 0) throw new Error(`cje ${args.join(' ')} ended with ${exit}: ${said}`);
}

/** Built twice: before its labels and with them. Remove the parent. */
export async function ownProject({
  prompts,
  answer = policiesAndJudge,
}: OwnOptions): Promise<{ readonly parent: Project; readonly project: Project }> {
  const parent = emptyProject();
  const server = await startChatServer({ answer, schemas: false });
  try {
    const project = await initProject(parent, server, prompts);
    await runBeside(project, 'build');
    await runBeside(project, 'export', '--format', 'labels', '-o', 'labels.csv');
    // A text of several lines is quoted, so only the end of a row is an empty label.
    const sheet = project.read('labels.csv');
    project.write(
      'labels.csv',
      sheet.replaceAll(/,\r\n/g, (_, at: number) => `,${(at % 4) + 2}\r\n`),
    );
    await runBeside(project, 'build');
    return { parent, project };
  } finally {
    await server.close();
  }
}

export async function initProject(parent: Project, server: ChatServer, prompts: number): Promise<Project> {
  const lines = Array.from({ length: prompts }, (_, index) =>
    JSON.stringify({ id: `q${index}`, prompt: `What is squared? ${index}` }),
  );
  parent.write('my.jsonl', lines.join('\n'));
  const names = ['--prompts', 'my.jsonl', '--policies', 'brief,thorough', '--model', 'local-model'];
  await runBeside(parent, 'init', 'mine', ...names, '--base-url', server.baseUrl);
  return projectIn(join(parent.folder, 'mine'));
}
