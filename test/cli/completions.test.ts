import { spawnSync } from 'node:child_process';
import type { Definition } from 'clipanion';
import { describe, expect, it } from 'vitest';
import { bashCompletions } from '../../src/terminal/completions/bash.ts';
import { commandWords } from '../../src/terminal/completions/command-words.ts';
import { fishCompletions } from '../../src/terminal/completions/fish.ts';
import { zshCompletions } from '../../src/terminal/completions/zsh.ts';

const command = (path: string, usage: string, options: [string, string][] = []): Definition => ({
  path: `cje ${path}`,
  usage,
  description: `what ${path} does: [all] of it`,
  options: options.map(([definition, description]) => ({ definition, description, required: false })),
});
const COMMANDS = commandWords([
  command('build', 'cje build [target …] [options]', [
    ['-j,--jobs JOBS', "calls in a user's flight"],
    ['--max-cost COST', 'stop before'],
    ['--offline', 'buy nothing'],
  ]),
  command('doctor', 'cje doctor [provider …]'),
  command('cache export', 'cje cache export', [['-o,--output OUTPUT', 'the file']]),
  command('cache gc', 'cje cache gc'),
]);

describe('completions for bash', () => {
  /** What is offered behind these words, the last of which is being typed. */
  function offered(...lines: string[][]): string[] {
    const tries = lines.map((words) => {
      const typed = ['cje', ...words].map((word) => `'${word}'`).join(' ');
      return `COMP_WORDS=(${typed}); COMP_CWORD=${words.length}; _cje; echo "\${COMPREPLY[*]}"`;
    });
    const stub = 'cje() { [[ "$*" == "completions targets" ]] && printf "%s\\n" scores/a scores/b truth; }';
    const { stdout, stderr } = spawnSync('bash', ['-c', [bashCompletions(COMMANDS), stub, ...tries].join('\n')], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    return stdout.trimEnd().split('\n');
  }

  it('are commands, then options, nodes, and files where those are wanted', () => {
    expect(
      offered(
        ['b'],
        ['cache', ''],
        ['build', '--'],
        ['build', 'scores/'],
        ['cache', 'export', '-o', 'completions.t'],
        ['doctor', 'scores/'],
      ),
    ).toEqual(['build', 'export gc', '--jobs --max-cost --offline --help', 'scores/a scores/b', 'completions.test.ts']);
  });
});

describe('completions for zsh and fish', () => {
  it('say what each word means, whatever signs it has', () => {
    const zsh = zshCompletions(COMMANDS);
    expect(zsh).toContain("'build:what build does\\: all of it'");
    expect(zsh).toContain("'*--jobs[calls in a user'\\''s flight]:JOBS:_files'");
    expect(zsh).toMatch(/\('build'\)\n {6}_arguments [^;]*'\*:target:_cje_targets' ;;/);
    expect(zsh).toMatch(/\('doctor'\)\n {6}_arguments -s '\*:file:_files' ;;/);
    const fish = fishCompletions(COMMANDS);
    expect(fish).toContain("complete -c cje -n '__cje_is build' -s j -l jobs -r -d 'calls in a user'\\''s flight'");
    expect(fish).toContain("complete -c cje -f -n '__cje_is_exactly cache' -a 'export'");
    expect(fish).toContain("complete -c cje -f -n '__cje_is build' -a '(cje completions targets 2>/dev/null)'");
  });
});
