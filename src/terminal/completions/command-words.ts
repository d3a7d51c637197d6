/** What can be typed, read from the commands' definitions: the completions of every shell are written from this. */

import type { Definition } from 'clipanion';

export interface CommandWords {
  /** Such as `build`, or `cache` and `export`. */
  readonly words: readonly string[];
  readonly about: string;
  readonly options: readonly OptionWords[];
  /** Whether its arguments are nodes, stages or folders of them. */
  readonly targets: boolean;
}

export interface OptionWords {
  /** Such as `-f` and `--file`. */
  readonly names: readonly string[];
  readonly about: string;
  /** What its value is called; undefined where it takes none. */
  readonly value: string | undefined;
}

/** What arguments are called that name nodes. */
const TARGETS = /[[<](?:target|dataset)\b/;

/** @param definitions as they are told of, with names. */
export const commandWords = (definitions: readonly Definition[]): CommandWords[] =>
  definitions.map(({ path, usage, description, options }) => ({
    words: path.split(' ').slice(1),
    about: oneLine(description),
    targets: TARGETS.test(usage),
    options: options.map(({ definition, description: about }) => {
      const [names = '', value] = definition.split(' ');
      return { names: names.split(','), about: oneLine(about), value };
    }),
  }));

const oneLine = (text = ''): string => text.trim().replace(/\s+/g, ' ');

/** Commands whose first word is another's too, such as `cache`. */
export const groupsOf = (commands: readonly CommandWords[]): string[] => [
  ...new Set(commands.flatMap(({ words: [first = '', second] }) => (second === undefined ? [] : [first]))),
];

/** The words that may come first. */
export const firstWords = (commands: readonly CommandWords[]): string[] => [
  ...new Set(commands.map(({ words: [first = ''] }) => first)),
];

/** In single quotes, as each of the shells reads them. */
export const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** The command that lists what a target may be called; an experiment with a mistake has no names. */
export const ASK_TARGETS = 'cje completions targets 2>/dev/null';
