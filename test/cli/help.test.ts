import type { Definition } from 'clipanion';
import { describe, expect, it } from 'vitest';
import { commandHelp, groupHelp, named, overview } from '../../src/terminal/help.ts';

const shared = { definition: '-f,--file #0', description: 'the pipeline file', required: false };
const command = (path: string, more: Partial<Definition> = {}): Definition =>
  named(
    {
      path: `cje ${path}`,
      usage: `cje ${path}`,
      category: 'Looking',
      description: `what ${path} does\n`,
      options: [shared],
      ...more,
    },
    'target',
  );
const option = { definition: '--max-cost #0', description: 'stop before', required: true };
const build = command('build', {
  usage: 'cje build ...',
  options: [shared, option],
  details: 'More.\n',
  examples: [['All', 'cje build']],
});

describe('help', () => {
  it('names what an option takes', () => {
    const json = { definition: '--json', description: 'JSON', required: false };
    const { usage, options } = command('log', { options: [shared, option, json] });
    expect(usage).toBe('cje log [options]');
    expect(options.map(({ definition }) => definition)).toEqual(['-f,--file FILE', '--max-cost COST', '--json']);
  });

  it('of a command has its own options before those of every command', () => {
    expect(commandHelp(build, [build, command('log')]).split('\n')).toEqual([
      'cje build [target …] [options]',
      '  what build does',
      '',
      'Options',
      '  --max-cost COST  stop before (required)',
      '',
      'Options of every command',
      '  -f,--file FILE  the pipeline file',
      '',
      'More.',
      '',
      'Examples',
      '  All:',
      '    cje build',
      '',
    ]);
  });

  it('says where to start, and holds to 80 columns but for what is typed', () => {
    const text = overview([build, command('cache gc', { category: 'The cache' })], '1.2.3');
    expect(text).toMatch(/^cje 1\.2\.3: /);
    expect(text).toContain('Start here\n  cje init my-exp ');
    expect(text).toContain('The cache\n  cache gc        what cache gc does\n');
    expect(groupHelp('cache', [command('cache gc')])).toContain('  cache gc        what cache gc does\n');
  });
});
