/** `docs/reference/commands.md`, made from the commands' own usage. */

import { Cli, type CommandClass, type Definition } from 'clipanion';
import type { CliContext } from '../../src/cli/context.ts';
import type { PipelineCommand } from '../../src/cli/pipeline-command.ts';
import { named } from '../../src/terminal/help.ts';

const HEAD = `# Commands

<!-- Made by \`npm run docs\` from src/cli/commands; edit it there. -->

\`cje COMMAND --help\` prints the same. Exit codes are in [events.md](../events.md#exit-codes), errors in
[errors.md](../errors.md).
`;

export type NamedCommand = CommandClass<CliContext> & Pick<typeof PipelineCommand, 'many'>;

export function commandsPage(commands: readonly NamedCommand[]): string {
  const cli = new Cli<CliContext>({ binaryName: 'cje', enableColors: false });
  for (const command of commands) cli.register(command);
  const many = new Map(commands.map((command) => [pathOf(command), command.many]));
  const definitions = cli
    .definitions()
    .map((definition) => named(definition, many.get(definition.path) ?? ''))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  return [HEAD, ...definitions.map(section)].join('\n');
}

const pathOf = ({ paths: [words = []] = [] }: CommandClass<CliContext>): string => ['cje', ...words].join(' ');

function section({ path, usage, description, details, examples, options }: Definition): string {
  const rows = options.map(
    ({ definition, description = '', required }) =>
      `| \`${definition}\` | ${description.replaceAll('|', '\\|')}${required ? '; required' : ''} |`,
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
