/** A new experiment, as a user starts one. */

import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { emptyProject, type Project, projectIn, removeProject } from '../helpers/project.ts';

let project: Project;
beforeEach(() => {
  project = emptyProject();
});
afterEach(() => removeProject(project));

const rows = Array.from({ length: 35 }, (_, index) => JSON.stringify({ prompt: `What is ${index} times ${index}?` }));

describe('cje init', () => {
  it("makes an experiment on one's own prompts that builds as it is", () => {
    project.write('my.jsonl', rows.join('\n'));
    const made = project.run('init', 'mine', '--prompts', 'my.jsonl');
    expect(made.stderr).toBe('');
    expect(made.exit).toBe(0);
    const mine = projectIn(join(project.folder, 'mine'));
    expect(mine.read('pipeline.yaml')).toMatch(/^name: mine$/m);
    expect(mine.build().finished).toMatchObject({ exit: 0, nodes: { failed: 0 } });
    expect(mine.read('out/prompts/rows.jsonl').trim().split('\n')).toHaveLength(35);
    expect(mine.build().finished).toMatchObject({ exit: 0, nodes: { run: 0 }, calls: { bought: 0 } });
    // Hosted profiles stay with these prompts.
    expect(JSON.parse(mine.run('plan', '--profile', 'full', '--json').stdout).nodes[0]).toMatchObject({ items: 35 });
  });

  it('writes nothing over what is there, and says which line of a prompt file is wrong', () => {
    project.write('my.jsonl', rows.with(16, '{').join('\n'));
    const broken = project.run('init', 'mine', '--prompts', 'my.jsonl');
    expect(broken.exit).toBe(2);
    expect(broken.stderr).toContain('my.jsonl:17');
    expect(project.run('init', 'mine').exit).toBe(0);
    const again = project.run('init', 'mine');
    expect(again.exit).toBe(2);
    expect(again.stderr).toContain('is there already');
  });

  it('prints a JSON Schema for editors', () => {
    const schema = JSON.parse(project.run('schema').stdout);
    expect(schema.properties.stages).toBeDefined();
    expect(JSON.stringify(schema)).toContain('"logprobs"');
  });
});
