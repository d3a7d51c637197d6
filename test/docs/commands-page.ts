/** `docs/reference/commands.md`, made from the commands' own usage. */

import { Cli, type CommandClass } from 'clipanion';
import type { CliContext } from '../../src/cli/context.ts';

const HEAD = `# Commands

<!-- Made by \`npm run docs\` from src/cli/commands; edit it there. -->

\`cje COMMAND --help\` prints the same. Exit codes are in [events.md](../events.md#exit-codes), errors in
[errors.md](../errors.md).
`;

export function commandsPage(commands: readonly CommandClass<CliContext>[]): string {
  const cli = new Cli<CliContext>({ binaryName: 'cje', enableColors: false });
  for (const command of commands) cli.register(command);
  const definitions = cli.definitions().sort((a, b) => (a.path < b.path ? -1 : 1));
  return [HEAD, ...definitions.map(section)].join('\n');
}

type Definition = ReturnType<Cli<CliContext>['definitions']>[number];

function section({ path, usage, description, details, examples, options }: Definition): string {
  const rows = options.map(
    ({ definition, description = '', required }) =>
      `| \`${definition.replaceAll(/#0/g, 'VALUE')}\` | ${description.replaceAll('|', '\\|')}${required ? '; required' : ''} |`,
  );
  return [
    `## ${path}\n`,
    `${sentence(description?.trim() ?? '')}\n`,
    `\`\`\`sh\n${usage}\n\`\`\`\n`,
    ...(details === undefined ? [] : [`${details.trim().replace(/ +$/gm, '')}\n`]),
    ...(rows.length === 0 ? [] : ['| option | meaning |', '|---|---|', ...rows, '']),
    ...(examples ?? []).map(([about, command]) => `- ${about.trim()}: \`${command}\``),
    '',
  ].join('\n');
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
