/** What `--help` prints: the commands and where to start, or one command with what its options and arguments are called. */

import type { Definition } from 'clipanion';
import { columnsOf, padEnd } from '../text/width.ts';
import { wrap } from '../text/wrap.ts';

const WIDTH = 80;
/** A wider left column would leave too little room to its right. */
const MOST_LEFT = 30;

const START = [
  ['cje init my-exp --prompts my.jsonl --policies a,b --model MODEL', 'an experiment of your own'],
  ['cje plan', 'what it would take'],
  ['cje build', 'do it; what is up to date is not done again'],
] as const;

/**
 * The parser's definition with names in the place of its signs: `--max-cost COST` for `--max-cost #0`, and
 * `cje build [target …] [options]` for `cje build ...`.
 *
 * @param many what each of any number of arguments is called.
 */
export function named(definition: Definition, many: string): Definition {
  const options = definition.options.map((option) => ({ ...option, definition: namedOption(option.definition) }));
  const usage = definition.usage.replace(/ \.\.\.$/, ` [${many} …]`);
  return { ...definition, options, usage: `${usage}${options.length > 0 ? ' [options]' : ''}` };
}

const namedOption = (definition: string): string =>
  definition.replace('#0', () => /--(?:[\w-]+-)?(\w+) #0$/.exec(definition)?.[1]?.toUpperCase() ?? 'VALUE');

/** @param shown all commands, in the order in which they are told. */
export function overview(shown: readonly Definition[], version: string): string {
  const categories = [...new Set(shown.map(({ category }) => category!))];
  const shared = sharedOptions(shown);
  return text([
    `cje ${version}: a build system for LLM-evaluation experiments`,
    '',
    'Start here',
    ...START.flatMap(([command, about]) => row(command, about, 12)),
    ...categories.flatMap((category) => [
      '',
      category,
      ...commandRows(shown.filter((definition) => definition.category === category)),
    ]),
    '',
    'Options of every command',
    ...optionRows(shown[0]?.options.filter(({ definition }) => shared.has(definition)) ?? []),
    '',
    '`cje COMMAND --help` tells of one command. An experiment of your own: docs/own-experiment.md',
  ]);
}

/** The commands that share their first word. */
export function groupHelp(group: string, commands: readonly Definition[]): string {
  return text([
    `cje ${group} COMMAND`,
    '',
    ...commandRows(commands),
    '',
    `\`cje ${group} COMMAND --help\` tells of one command.`,
  ]);
}

const commandRows = (commands: readonly Definition[]): string[] =>
  commands.flatMap(({ path, description }) => row(path.slice('cje '.length), plain(description), 14));

/** @param definitions of all commands: what every one of them takes is told last. */
export function commandHelp(command: Definition, definitions: readonly Definition[]): string {
  const shared = sharedOptions(definitions);
  const own = command.options.filter(({ definition }) => !shared.has(definition));
  const common = command.options.filter(({ definition }) => shared.has(definition));
  const description = plain(command.description);
  return text([
    command.usage,
    `  ${description}`,
    ...section('Options', optionRows(own)),
    ...section('Options of every command', optionRows(common)),
    ...(command.details === undefined ? [] : ['', ...command.details.trim().split('\n')]),
    ...section(
      'Examples',
      (command.examples ?? []).flatMap(([about, example]) => [`  ${plain(about)}:`, `    ${example}`]),
    ),
  ]);
}

/** What all commands take, by definition. */
function sharedOptions(definitions: readonly Definition[]): ReadonlySet<string> {
  const [first, ...others] = definitions.map(({ options }) => options.map(({ definition }) => definition));
  return new Set(first?.filter((option) => others.every((options) => options.includes(option))));
}

const section = (title: string, rows: readonly string[]): string[] => (rows.length === 0 ? [] : ['', title, ...rows]);

function optionRows(options: Definition['options']): string[] {
  const names = options.map(({ definition }) => definition);
  const left = Math.min(MOST_LEFT, Math.max(0, ...names.map(columnsOf)));
  return options.flatMap(({ description = '', required }, index) =>
    row(names[index]!, `${plain(description)}${required ? ' (required)' : ''}`, left),
  );
}

/** A name and what it means, which begins on a line of its own where the name is long. */
function row(name: string, about: string, left: number): string[] {
  const indent = left + 4;
  const [first = '', ...more] = wrap(about, WIDTH, indent, indent);
  if (columnsOf(name) > left) return [`  ${name}`, first, ...more];
  return [`  ${padEnd(name, left)}  ${first.trimStart()}`, ...more];
}

const plain = (about: string | undefined): string => (about ?? '').trim();
const text = (lines: readonly string[]): string => `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
