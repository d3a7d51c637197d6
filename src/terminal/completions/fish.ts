/** Completions for fish. */

import { ASK_TARGETS, type CommandWords, groupsOf, quoted } from './command-words.ts';

export function fishCompletions(commands: readonly CommandWords[]): string {
  const lines = commands.flatMap(({ words, about, options, targets }) => {
    const [last = ''] = words.slice(-1);
    const before = words.slice(0, -1).join(' ');
    const on = quoted(`__cje_is ${words.join(' ')}`);
    return [
      `complete -c cje -f -n ${quoted(`__cje_is_exactly ${before}`.trim())} -a ${quoted(last)} -d ${quoted(about)}`,
      ...options.map(({ names, about: meaning, value }) => {
        const forms = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
        return `complete -c cje -n ${on} ${forms.join(' ')}${value === undefined ? '' : ' -r'} -d ${quoted(meaning)}`;
      }),
      ...(targets ? [`complete -c cje -f -n ${on} -a ${quoted(`(${ASK_TARGETS})`)}`] : []),
    ];
  });
  const groups = groupsOf(commands).map(
    (group) => `complete -c cje -f -n __cje_is_exactly -a ${quoted(group)} -d ${quoted(`${group} commands`)}`,
  );
  return `# Completions of cje for fish: cje completions fish | source
function __cje_is
  set -l typed (commandline -opc)
  set -l last (math (count $argv) + 1)
  test (count $typed) -ge $last; and test "$typed[2..$last]" = "$argv"
end
function __cje_is_exactly
  set -l typed (commandline -opc)
  test (count $typed) -eq (math (count $argv) + 1); or return 1
  test (count $argv) -eq 0; or __cje_is $argv
end
${[...groups, ...lines].join('\n')}
`;
}
