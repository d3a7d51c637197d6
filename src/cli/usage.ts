/** A command line that is not understood, as a user's problem. */

import { nearest, type Problem } from '../core/problem.ts';

/**
 * @param paths the words of every command.
 * @param message what the parser said, in several lines.
 * @param optionsOf the options that a command takes, by its words.
 */
export function usageProblem(
  args: readonly string[],
  paths: readonly (readonly string[])[],
  message: string,
  optionsOf: (command: string) => readonly string[] = () => [],
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
  const meant = option === undefined ? undefined : nearest(option, optionsOf(command));
  if (option !== undefined && meant !== undefined) {
    return { id: 'CJE-USAGE', headline: `${command} has no option ${option}`, hint: `did you mean \`${meant}\`?` };
  }
  // The parser knows no better words for an argument too many, or one too few.
  const headline = said === '' || said.startsWith('Command not found') ? `${command} takes other arguments` : said;
  return { id: 'CJE-USAGE', headline: headline.replace(/\.$/, ''), hint: `see \`cje ${command} --help\`` };
}

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
