/** `cje gate` on the simulated world, whose policies are known to differ: verdicts, exit codes, files, and what is bought. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Project, removeProject, shippedProject } from '../helpers/project.ts';

let project: Project;
beforeAll(() => {
  project = shippedProject({ samples: 60 });
});
afterAll(() => removeProject(project));

const gate = (candidate: string, ...more: string[]) =>
  project.run(
    ...['gate', 'dataset/deterministic', '--baseline', 'p0', '--candidate', candidate],
    ...['--margin', '0.05', '--on', 'judge', '--json', ...more],
  );

describe('a gate', () => {
  it('fails what is clearly worse, passes what is as good, and buys no more than decides it', () => {
    const worse = gate('pi_bad', '--junit', 'gate.xml', '--markdown', 'gate.md');
    expect([worse.exit, worse.stderr]).toEqual([7, '']);
    // 25 prompts, two policies, an answer and a score each: the first look decides, and no other policy is asked.
    expect(worse.finished).toMatchObject({ exit: 7, calls: { bought: 100 } });
    expect(worse.events.map(({ type }) => type)).toEqual(['started', 'look', 'gate', 'finished']);
    const [, , told] = worse.events;
    expect(told).toMatchObject({ verdict: 'fail', end: 'decided', on: 'judge', prompts: 25, missing: 0 });
    expect(told!.upper).toBeLessThan(-0.05);
    expect(project.read('gate.xml')).toMatch(
      /<testsuites tests="1" failures="1" errors="0"[\s\S]*<failure type="gate-failed"/,
    );
    expect(project.read('gate.md')).toContain('FAIL: pi_bad against p0');
    // Copies for people are those of builds.
    expect(existsSync(join(project.folder, 'out'))).toBe(false);

    // Its look is no build that others are counted from.
    expect(project.run('diff').stderr).toContain('no build is recorded yet');
    expect(project.run('log').stdout).toContain('a gate, 1 look');

    const better = gate('pi_bigger_model');
    // The baseline is there already.
    expect([better.exit, better.finished.calls.bought]).toEqual([0, 50]);

    const tooFew = gate('pi_clone', '--max-prompts', '25', '--junit', 'gate.xml');
    expect([tooFew.exit, tooFew.events.at(-2)!.end]).toEqual([8, 'no-more-prompts']);
    expect(tooFew.events.filter(({ type }) => type === 'look').map(({ prompts }) => prompts)).toEqual([25]);
    expect(project.read('gate.xml')).toContain('<error type="gate-undecided"');

    const again = gate('pi_clone', '--max-prompts', '25');
    expect([again.exit, again.finished.calls.bought]).toEqual([8, 0]);
    const without = ({ events }: typeof again) => events.slice(1, -1).map(({ bought: _, billed: __, ...rest }) => rest);
    expect(without(again)).toEqual(without(tooFew));
  });
});
