/** `cje completions`: a script by which a shell completes commands, options and the names of nodes. */

import { Command, Option } from 'clipanion';
import { badOption, EXIT, type ExitCode } from '../../core/problem.ts';
import { folders } from '../../pipeline/targets.ts';
import { PipelineCommand } from '../pipeline-command.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

export class CompletionsCommand extends PipelineCommand {
  static override paths = [['completions']];
  static override usage = Command.Usage({
    category: 'Looking',
    description: 'a script by which bash, zsh or fish completes commands, options and nodes',
    details: `
      The scripts are made from the commands themselves. Names of nodes are asked for when they are wanted, from the experiment of
      the folder.
    `,
    examples: [
      ['In ~/.bashrc', 'eval "$(cje completions bash)"'],
      ['In ~/.zshrc, after compinit', 'source <(cje completions zsh)'],
      ['In ~/.config/fish/config.fish', 'cje completions fish | source'],
    ],
  });

  shell = Option.String({ name: 'shell' });

  async run(): Promise<ExitCode> {
    // What the scripts ask: the names that a target may have.
    if (this.shell === 'targets') return this.#targets();
    const shell = SHELLS.find((name) => name === this.shell);
    if (shell === undefined) {
      throw badOption(`there are no completions for ${JSON.stringify(this.shell)}`, `known: ${SHELLS.join(', ')}`);
    }
    const { commandWords } = await import('../../terminal/completions/command-words.ts');
    this.print((await writerFor(shell))(commandWords(this.context.definitions())));
    return EXIT.built;
  }

  #targets(): Promise<ExitCode> {
    return this.withSession({ readOnly: true }, async ({ graph }) => {
      this.print([...graph.nodes.keys(), ...folders(graph)].map((name) => `${name}\n`).join(''));
      return EXIT.built;
    });
  }
}

async function writerFor(shell: (typeof SHELLS)[number]) {
  switch (shell) {
    case 'bash':
      return (await import('../../terminal/completions/bash.ts')).bashCompletions;
    case 'zsh':
      return (await import('../../terminal/completions/zsh.ts')).zshCompletions;
    case 'fish':
      return (await import('../../terminal/completions/fish.ts')).fishCompletions;
  }
}
