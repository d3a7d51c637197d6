/** What `cje init` says that it made: which files to look at, which commands come next, and what is left to do before. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runIn } from '../helpers/command.ts';
import { emptyProject, type Project, removeProject } from '../helpers/project.ts';

let project: Project;
beforeAll(() => {
  project = emptyProject();
  project.write('my.jsonl', '{"prompt":"How?"}\n{"prompt":"Why?"}\n');
  project.write(
    'answers.csv',
    'prompt,brief,thorough\nHow?,So.,"So, and at length."\nWhy?,Because.,Because of that.\n',
  );
  project.write('people.csv', 'prompt,policy,label\nHow?,brief,3\n');
  project.write(
    'scores.csv',
    'policy,prompt_id,prompt,response,judge_score,oracle_label\nbase,q0,How?,So.,7,0.5\nother,q0,How?,Thus.,80,\n',
  );
});
afterAll(() => removeProject(project));

const OWN = ['--prompts', 'my.jsonl', '--policies', 'brief,thorough', '--model', 'm'];
const POLICIES = ['configs/policies/brief.yaml', 'configs/policies/thorough.yaml'];
const SHEET = 'export --format labels -o labels.csv';

describe('cje init', () => {
  it.each<[string, readonly string[], readonly string[], readonly string[]]>([
    ['own', OWN, [...POLICIES, 'configs/judge.yaml'], ['plan', 'build', SHEET]],
    ['labelled', [...OWN, '--labels', 'people.csv'], [...POLICIES, 'configs/judge.yaml'], ['plan', 'build']],
    [
      'answered',
      ['--responses', 'answers.csv', '--policies', 'brief,thorough', '--model', 'm'],
      ['configs/judge.yaml'],
      ['plan', 'build', SHEET],
    ],
    ['shipped', [], [], ['plan', 'build']],
    ['imported', ['--from', 'import', 'scores.csv'], [], ['build']],
  ])('%s names the files to edit and the commands that come next', async (folder, options, edit, commands) => {
    const { exit, finished, stderr } = await runIn(project.folder, 'init', folder, ...options, '--json');
    expect([exit, stderr]).toEqual([0, '']);
    expect(finished).toMatchObject({ type: 'created', folder: `${project.folder}/${folder}`, edit });
    const next: readonly string[] = finished.next;
    expect(next.map((line) => line.replace(/^cd (\S+) && .*?cje(\.js)? /, '$1: '))).toEqual(
      commands.map((command) => `${folder}: ${command}`),
    );
  });

  it('says the same in words, with a sheet only where people are to fill one in', async () => {
    const { stdout } = await runIn(project.folder, 'init', 'my words', ...OWN);
    expect(stdout).toContain(
      `Made ${project.folder}/my words/pipeline.yaml and configs/.\n\nEdit: ${POLICIES.join(', ')},`,
    );
    expect(stdout).toMatch(
      /\nNext:\n {2}cd "my words" && (.|\n)* build\n(.|\n)*\(then fill in the column `label`, 1 to 5, and build again\)\n/,
    );
    const labelled = await runIn(project.folder, 'init', 'words', ...OWN, '--labels', 'people.csv');
    expect(labelled.stdout).not.toContain('then fill in');
    const shipped = await runIn(project.folder, 'init', 'plain');
    expect(shipped.stdout).not.toContain('Edit:');
  });

  it('tells of values that are off their scale before anything is built', async () => {
    const { finished } = await runIn(project.folder, 'init', 'scales', '--from', 'import', 'scores.csv', '--json');
    expect(finished.notes).toEqual([expect.stringMatching(/values go from 7 to 80; declare `\S+` in pipeline\.yaml/)]);
  });

  it('never writes into a folder that has something in it', async () => {
    const again = await runIn(project.folder, 'init', 'own', ...OWN);
    expect([again.exit, again.stdout]).toEqual([2, '']);
  });
});
