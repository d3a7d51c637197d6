import { expect, it } from 'vitest';
import { usageProblem } from '../../src/cli/usage.ts';

const PATHS = [['build'], ['plan'], ['cache', 'stats'], ['cache', 'verify'], ['cache', 'gc']];
const told = (...args: string[]) => usageProblem(args, PATHS, 'Unsupported option name ("--joobs").\n\n$ cje build');

it.each<[string[], string, string | undefined]>([
  [['biuld'], 'there is no command "biuld"', 'did you mean `cje build`?'],
  [['frobnicate'], 'there is no command "frobnicate"', 'see `cje --help`'],
  [['cache', 'verfy'], 'there is no command "cache verfy"', 'did you mean `cje cache verify`?'],
  [['cache', 'frobnicate'], 'there is no command "cache frobnicate"', 'see `cje --help`'],
  [['cache'], 'cache needs a command', 'cje cache stats'],
  [['cache', '--json'], 'cache needs a command', 'cje cache stats'],
  [['build', '--joobs'], 'Unsupported option name ("--joobs")', 'see `cje build --help`'],
  [['cache', 'gc', '--joobs'], 'Unsupported option name ("--joobs")', 'see `cje cache gc --help`'],
])('%j', (args, headline, hint) => {
  expect(told(...args)).toMatchObject({ headline, hint });
});

it('does not pass on half a sentence of the parser', () => {
  const said = usageProblem(['plan', 'x'], PATHS, 'Command not found; did you mean one of:\n\n  0. cje plan');
  expect(said.headline).toBe('plan takes other arguments');
});

it('knows the options of a command', () => {
  const options = (command: string) => (command === 'build' ? ['--jobs', '--max-cost'] : []);
  const said = (option: string) =>
    usageProblem(['build', option], PATHS, `Unsupported option name ("${option}").`, options);
  expect(said('--joobs')).toMatchObject({ headline: 'build has no option --joobs', hint: 'did you mean `--jobs`?' });
  expect(said('--max-costs')).toMatchObject({ hint: 'did you mean `--max-cost`?' });
  expect(said('--frobnicate').hint).toBe('see `cje build --help`');
});
