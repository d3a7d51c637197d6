/** Completions for zsh. */

import { ASK_TARGETS, type CommandWords, groupsOf, type OptionWords, quoted } from './command-words.ts';

export function zshCompletions(commands: readonly CommandWords[]): string {
  const groups = groupsOf(commands);
  const alone = commands.filter(({ words }) => words.length === 1);
  const first = [
    ...alone.map(({ words, about }) => described(words[0]!, about)),
    ...groups.map((group) => described(group, `${group} commands`)),
  ];
  const second = groups.map((group) => {
    const below = commands.filter(({ words }) => words[0] === group);
    return `    (${group})
      if (( CURRENT == 2 )); then
        _values command ${below.map(({ words, about }) => quoted(`${words[1]}[${plain(about)}]`)).join(' ')}
        return
      fi
      command="$command $words[2]"
      shift words
      (( CURRENT-- )) ;;`;
  });
  const cases = commands.map(
    ({ words, options, targets }) =>
      `    (${quoted(words.join(' '))})\n      _arguments -s ${[...options.flatMap(optionSpecs), targets ? "'*:target:_cje_targets'" : "'*:file:_files'"].join(' \\\n        ')} ;;`,
  );
  return `#compdef cje
# Completions of cje for zsh: source <(cje completions zsh), or as the file _cje in a folder of $fpath
_cje_targets() {
  local -a targets
  targets=(\${(f)"$(${ASK_TARGETS})"})
  _multi_parts / targets
}
_cje() {
  if (( CURRENT == 2 )); then
    local -a commands
    commands=(${first.join(' ')})
    _describe command commands
    return
  fi
  shift words
  (( CURRENT-- ))
  local command="$words[1]"
  case "$command" in
${second.join('\n')}
  esac
  case "$command" in
${cases.join('\n')}
  esac
}
if [[ "$funcstack[1]" == _cje ]]; then _cje "$@"; else compdef _cje cje; fi
`;
}

/** What zsh would take for the end of a description. */
const plain = (about: string): string => about.replaceAll(/[[\]]/g, '').replaceAll(':', '\\:');
const described = (word: string, about: string): string => quoted(`${word}:${plain(about)}`);

/** One for each name of the option, which exclude each other unless it may be repeated. */
function optionSpecs({ names, about, value }: OptionWords): string[] {
  const argument = value === undefined ? '' : `:${value}:_files`;
  return names.map((name) => quoted(`*${name}[${plain(about)}]${argument}`));
}
