import { describe, expect, it } from 'vitest';
import { usageProblem } from '../../src/cli/usage.ts';

const PATHS = [['build'], ['plan'], ['cache', 'stats'], ['cache', 'verify'], ['cache', 'gc']];
it('an option without its value is that, and a negative number is no value', () => {
  const said = (...args: string[]) =>
    usageProblem(['build', ...args], [['build']], 'Not enough arguments to option --max-cost.');
  expect(said('--max-cost', '-1').headline).toBe('--max-cost needs a value, and "-1" is taken for an option');
  expect(said('--max-cost')).toMatchObject({
    headline: '--max-cost needs a value',
    hint: expect.stringContaining('--max-cost=VALUE'),
  });
});

const told = (...args: string[]) => usageProblem(args, PATHS, 'Unsupported option name ("--joobs").\n\n$ cje build');

it.each<[string[], string, string | undefined]>([
  [['biuld'], 'there is no command "biuld"', 'did you mean `cje build`?'],
  [['frobnicate'], 'there is no command "frobnicate"', 'see `cje --help`'],
  [['cache', 'verfy'], 'there is no command "cache verfy"', 'did you mean `cje cache verify`?'],
  [['cache', 'frobnicate'], 'there is no command "cache frobnicate"', 'see `cje --help`'],
  [['cache'], 'cache needs a command', 'cje cache stats'],
  [['cache', '--json'], 'cache needs a command', 'cje cache stats'],
  [['build', '--joobs'], 'build has no option --joobs', 'see `cje build --help`'],
  [['cache', 'gc', '--joobs'], 'cache gc has no option --joobs', 'see `cje cache gc --help`'],
])('%j', (args, headline, hint) => {
  expect(told(...args)).toMatchObject({ headline, hint });
});

it('does not pass on half a sentence of the parser', () => {
  const said = usageProblem(['plan', 'x'], PATHS, 'Command not found; did you mean one of:\n\n  0. cje plan');
  expect(said.headline).toBe('plan takes other arguments');
});

it('knows the options of a command', () => {
  const definition = (names: string) => ({ definition: names, required: false });
  const options = (command: string) =>
    command === 'build'
      ? { usage: 'cje build ...', options: [definition('-j,--jobs #0'), definition('--max-cost #0')] }
      : undefined;
  const said = (option: string) =>
    usageProblem(['build', option], PATHS, `Unsupported option name ("${option}").`, options);
  expect(said('--joobs')).toMatchObject({ headline: 'build has no option --joobs', hint: 'did you mean `--jobs`?' });
  expect(said('--max-costs')).toMatchObject({ hint: 'did you mean `--max-cost`?' });
  expect(said('--frobnicate').hint).toBe('see `cje build --help`');
});

describe('what is missing', () => {
  const option = (name: string, required: boolean) => ({ definition: `${name} #0`, required });
  const gate = {
    usage: 'cje gate [dataset]',
    options: [option('--baseline', true), option('--margin', true), option('--step', false)],
    examples: [['May it be shipped?', 'cje gate --baseline a --margin 0.02']] as const,
  };
  const why = { usage: 'cje why <target> [item]', options: [option('--json', false)] };
  const said = (args: string[], definition: typeof gate | typeof why, message: string) =>
    usageProblem(args, [['gate'], ['why']], message, () => definition);

  it('is named, with an example where the command has one', () => {
    expect(said(['gate'], gate, 'Command not found')).toMatchObject({
      headline: 'gate needs --baseline and --margin',
      hint: 'such as `cje gate --baseline a --margin 0.02`; see `cje gate --help`',
    });
    expect(said(['gate', '--margin=1'], gate, 'Command not found').headline).toBe('gate needs --baseline');
    expect(said(['why'], why, 'Not enough positional arguments.')).toMatchObject({
      headline: 'why needs <target>',
      hint: 'see `cje why --help`',
    });
  });

  it('is nothing where there is too much', () => {
    expect(said(['why', 'a', 'b', 'c'], why, 'Command not found').headline).toBe('why takes other arguments');
  });
});
