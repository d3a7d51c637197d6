/** A command line that is not understood, as a user's problem. */

import { nearest, type Problem } from '../core/problem.ts';

/**
 * @param paths the words of every command.
 * @param message what the parser said, in several lines.
 * @param definitionOf what the parser knows of a command, by its words.
 */
export function usageProblem(
  args: readonly string[],
  paths: readonly (readonly string[])[],
  message: string,
  definitionOf: (command: string) => CommandWords | undefined = () => undefined,
): Problem {
  const [name = '', more = ''] = args;
  const first = paths.map(([word = '']) => word);
  if (!first.includes(name)) return unknown([name], [...new Set(first)]);
  const below = paths
    .filter(([word, second]) => word === name && second !== undefined)
    .map(([, second = '']) => second);
  if (below.length > 0 && !below.includes(more)) {
    if (more !== '' && !more.startsWith('-')) return unknown([name, more], below);
    return {
      id: 'CJE-USAGE',
      headline: `${name} needs a command`,
      facts: [['known', below.join(', ')]],
      hint: `cje ${name} ${below[0]}`,
    };
  }
  const command = below.length > 0 ? `${name} ${more}` : name;
  const [said = ''] = message.split('\n');
  const option = /^Unsupported option name \("(--?[^"=]+)/.exec(said)?.[1];
  const definition = definitionOf(command);
  const valueless = withoutValue(args, command, said);
  if (valueless !== undefined) return valueless;
  const options = definition?.options.flatMap((each) => each.definition.match(/--[\w-]+/g) ?? []) ?? [];
  const meant = option === undefined ? undefined : nearest(option, options);
  if (option !== undefined) {
    const hint = meant === undefined ? `see \`cje ${command} --help\`` : `did you mean \`${meant}\`?`;
    return { id: 'CJE-USAGE', headline: `${command} has no option ${option}`, hint };
  }
  const lacking = definition !== undefined ? lackingIn(args, definition, said) : [];
  if (lacking.length > 0) {
    const example = definition?.examples?.[0]?.[1];
    return {
      id: 'CJE-USAGE',
      headline: `${command} needs ${listOf(lacking)}`,
      hint: `${example === undefined ? '' : `such as \`${example}\`; `}see \`cje ${command} --help\``,
    };
  }
  // The parser knows no better words for an argument too many.
  const headline = said === '' || said.startsWith('Command not found') ? `${command} takes other arguments` : said;
  return { id: 'CJE-USAGE', headline: headline.replace(/\.$/, ''), hint: `see \`cje ${command} --help\`` };
}

/** An option without its value: one that begins with a hyphen, such as -1, is taken for another option. */
function withoutValue(args: readonly string[], command: string, said: string): Problem | undefined {
  const option = /^Not enough arguments to option (--?[\w-]+)/.exec(said)?.[1];
  if (option === undefined) return undefined;
  const next = args[args.indexOf(option) + 1];
  const taken = next === undefined ? '' : `, and ${JSON.stringify(next)} is taken for an option`;
  return {
    id: 'CJE-USAGE',
    headline: `${option} needs a value${taken}`,
    hint: `write \`${option}=VALUE\`; see \`cje ${command} --help\``,
  };
}

/** The part of the parser's definition of a command that is looked at. */
interface CommandWords {
  /** Such as `cje why <target> [item]`. */
  readonly usage: string;
  readonly options: readonly {
    readonly definition: string;
    readonly required: boolean;
  }[];
  readonly examples?: readonly (readonly [about: string, example: string])[] | undefined;
}

/** What must be there and is not: arguments by their names in the usage, and options. */
function lackingIn(args: readonly string[], { usage, options }: CommandWords, said: string): string[] {
  const required = usage.match(/<[^<>]+>/g) ?? [];
  // Of options the parser says nothing; without an argument it says so.
  const named = options.flatMap(({ definition, required: must }) => (must ? (definition.match(/--[\w-]+/) ?? []) : []));
  const absent = named.filter((name) => !args.some((arg) => arg === name || arg.startsWith(`${name}=`)));
  return [...(said.startsWith('Not enough positional') ? required : []), ...absent];
}

const listOf = (names: readonly string[]): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;

/** @param known words that may stand in the last place. */
function unknown(words: readonly string[], known: readonly string[]): Problem {
  const before = words.slice(0, -1);
  const meant = nearest(words.at(-1) ?? '', known);
  const command = ['cje', ...before].join(' ');
  return {
    id: 'CJE-UNKNOWN-COMMAND',
    headline: `there is no command ${JSON.stringify(words.join(' '))}`,
    ...(before.length > 0 ? { facts: [['known', known.join(', ')]] as const } : {}),
    hint: meant === undefined ? `see \`cje --help\`` : `did you mean \`${command} ${meant}\`?`,
  };
}
