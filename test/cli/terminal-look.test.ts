import { afterEach, describe, expect, it, vi } from 'vitest';
import { columnsOfTerminal, settleColors, spelledOut, terminalLook, wantsColor } from '../../src/cli/terminal-look.ts';

const terminal = { isTTY: true };
const pipe = {};

describe('colour', () => {
  it.each<[string, readonly string[], Record<string, string>, typeof terminal | typeof pipe, boolean]>([
    ['is for terminals', [], { TERM: 'xterm' }, terminal, true],
    ['is not for pipes', [], { TERM: 'xterm' }, pipe, false],
    ['is not for a dumb terminal', [], { TERM: 'dumb' }, terminal, false],
    ['is off with NO_COLOR', [], { NO_COLOR: '1' }, terminal, false],
    ['is not off with an empty NO_COLOR', [], { NO_COLOR: '' }, terminal, true],
    ['is on in a pipe with FORCE_COLOR', [], { FORCE_COLOR: '1' }, pipe, true],
    ['is on with an empty FORCE_COLOR', [], { FORCE_COLOR: '' }, pipe, true],
    ['is off with FORCE_COLOR=0', [], { FORCE_COLOR: '0' }, terminal, false],
    ['goes by FORCE_COLOR before NO_COLOR', [], { FORCE_COLOR: '1', NO_COLOR: '1' }, pipe, true],
    ['goes by the command line before either', ['--no-color'], { FORCE_COLOR: '1' }, terminal, false],
    ['is on with --color always', ['build', '--color', 'always'], { NO_COLOR: '1', TERM: 'dumb' }, pipe, true],
    ['is on with --color', ['--color', 'build'], {}, pipe, true],
    ['is off with --color=never', ['--color=never'], {}, terminal, false],
    ['is as the terminal is with --color auto', ['--color', 'auto'], {}, terminal, true],
    ['goes by the last word', ['--color=always', '--no-color'], {}, terminal, false],
    ['is no option behind --', ['--', '--no-color'], {}, terminal, true],
  ])('%s', (_, args, env, stream, wanted) => {
    expect(wantsColor(args, env, stream)).toBe(wanted);
  });

  it('leaves all other words as they are', () => {
    expect(spelledOut(['build', '--color', 'never', 'always', '--', '--color'])).toEqual([
      ...['build', '--color=never', 'always'],
      ...['--', '--color'],
    ]);
    expect(spelledOut(['--color', 'report'])).toEqual(['--color=always', 'report']);
  });
});

it('leaves no two variables that contradict each other, of which Node would warn', () => {
  const forced = { FORCE_COLOR: '0', NO_COLOR: '1', NODE_DISABLE_COLORS: '1' };
  settleColors(forced);
  expect(forced).toEqual({ FORCE_COLOR: '0' });
  const refused = { NO_COLOR: '1' };
  settleColors(refused);
  expect(refused).toEqual({ NO_COLOR: '1' });
});

describe('how wide a table may be', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
    for (const [name, property] of Object.entries(before)) {
      if (property === undefined) Reflect.deleteProperty(process.stdout, name);
      else Object.defineProperty(process.stdout, name, property);
    }
  });
  const before = {
    isTTY: Object.getOwnPropertyDescriptor(process.stdout, 'isTTY'),
    columns: Object.getOwnPropertyDescriptor(process.stdout, 'columns'),
  };
  const on = (isTTY: boolean | undefined, columns: number | undefined) => {
    for (const [name, value] of Object.entries({ isTTY, columns })) {
      Object.defineProperty(process.stdout, name, { value, configurable: true });
    }
    for (const name of ['NO_COLOR', 'FORCE_COLOR']) vi.stubEnv(name, undefined);
    vi.stubEnv('TERM', 'xterm');
    return terminalLook([]);
  };

  it('is what a terminal says of itself, in colour; a pipe has a hundred columns', () => {
    expect(on(true, 132)).toEqual({ color: true, width: 132 });
    expect(on(undefined, 132)).toEqual({ color: false, width: 100 });
  });

  it('is eighty columns of a terminal that says nothing, or 0', () => {
    expect([on(true, 0).width, on(true, undefined).width, columnsOfTerminal({ columns: 1 })]).toEqual([80, 80, 1]);
  });
});
