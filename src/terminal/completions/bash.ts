/** Completions for bash. */

import { ASK_TARGETS, type CommandWords, firstWords, groupsOf, quoted } from './command-words.ts';

export function bashCompletions(commands: readonly CommandWords[]): string {
  const groups = groupsOf(commands);
  const cases = commands.map((command) => {
    const options = command.options.flatMap(({ names }) => names);
    const valued = command.options.flatMap(({ names, value }) => (value === undefined ? [] : names));
    return `    ${quoted(command.words.join(' '))}) options=${quoted(options.join(' '))} valued=${quoted(` ${valued.join(' ')} `)} targets=${command.targets ? 1 : 0} ;;`;
  });
  const second = groups.map((group) => {
    const words = commands.flatMap(({ words: [first, more] }) => (first === group && more !== undefined ? [more] : []));
    return `    ${quoted(group)}) COMPREPLY=($(compgen -W ${quoted(words.join(' '))} -- "$current")); return ;;`;
  });
  return `# Completions of cje for bash: eval "$(cje completions bash)"
_cje() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}"
  local command="\${COMP_WORDS[1]}" options='' valued='' targets=0
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W ${quoted([...firstWords(commands), '--help', '--version'].join(' '))} -- "$current"))
    return
  fi
  if ((COMP_CWORD == 2)); then case "$command" in
${second.join('\n')}
  esac; fi
  case "$command" in ${groups.map(quoted).join('|')}) command="$command \${COMP_WORDS[2]}" ;; esac
  case "$command" in
${cases.join('\n')}
  esac
  if [[ "$valued" == *" $before "* ]]; then
    COMPREPLY=($(compgen -f -- "$current"))
  elif [[ "$current" == -* ]]; then
    COMPREPLY=($(compgen -W "$options --help" -- "$current"))
  elif ((targets)); then
    COMPREPLY=($(compgen -W "$(${ASK_TARGETS})" -- "$current"))
  else
    COMPREPLY=($(compgen -f -- "$current"))
  fi
}
complete -o filenames -F _cje cje
`;
}
