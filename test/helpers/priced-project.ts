/** An experiment of two policies and a judge on a server of this process, at prices high enough to be told apart. */

import { join } from 'node:path';
import { type ChatRequest, type ChatServer, policiesAndJudge, startChatServer } from '../servers/chat-only.ts';
import { runIn } from './command.ts';
import { emptyProject, type Project, projectIn, type Ran, removeProject } from './project.ts';

export interface PricedProject {
  readonly project: Project;
  readonly server: ChatServer;
  /** Requests that were at the server at the same time, at most. */
  readonly together: () => number;
  /** Runs the command in this process. */
  readonly cje: (...args: readonly string[]) => Promise<Ran>;
  close(): Promise<void>;
}

/** A token that is answered costs a thousandth of a dollar; an answer has 1,024 at most. */
export async function pricedProject({
  prompts = 10,
  confirmAbove = 1,
  answer = policiesAndJudge,
}: {
  readonly prompts?: number;
  readonly confirmAbove?: number;
  readonly answer?: (request: ChatRequest) => string;
} = {}): Promise<PricedProject> {
  let [now, most] = [0, 0];
  const server = await startChatServer({
    answer: (request) => {
      now--;
      return answer(request);
    },
    before: async () => {
      most = Math.max(most, ++now);
      // Long enough for those that were sent with it to arrive.
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    },
  });
  const parent = emptyProject();
  const lines = Array.from({ length: prompts }, (_, at) =>
    JSON.stringify({ id: `q${at}`, prompt: `How much is ${at}?` }),
  );
  parent.write('my.jsonl', lines.join('\n'));
  const names = ['--prompts', 'my.jsonl', '--policies', 'brief,thorough', '--model', 'local-model'];
  const made = await runIn(parent.folder, 'init', 'mine', ...names, '--base-url', server.baseUrl);
  if (made.exit !== 0) throw new Error(made.stderr);
  const project = projectIn(join(parent.folder, 'mine'));
  project.edit('configs/providers.yaml', 'input: 0, output: 0', 'input: 0, output: 1000');
  project.edit('pipeline.yaml', 'confirm_above: 1 ', `confirm_above: ${confirmAbove} `);
  return {
    project,
    server,
    together: () => most,
    cje: (...args) => runIn(project.folder, ...args),
    async close() {
      await server.close();
      removeProject(parent);
    },
  };
}
