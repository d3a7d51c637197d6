/** What commands pass on of their options and of cje.remote.yaml: each case is one word or one default that nothing else shows. */

import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { main } from '../../src/cli/main.ts';
import { runIn } from '../helpers/command.ts';
import { type PricedProject, pricedProject } from '../helpers/priced-project.ts';
import { emptyProject, type Project, projectIn, type Ran, ROOT, removeProject } from '../helpers/project.ts';
import { type ChatRequest, policiesAndJudge } from '../servers/chat-only.ts';

const problem = ({ stderr }: Ran) => /\[(CJE-[A-Z-]+)\]/.exec(stderr)?.[1];

describe('with a cluster that is named', () => {
  let at: PricedProject;
  beforeAll(async () => {
    at = await pricedProject({ confirmAbove: 100, prompts: 2 });
    vi.stubEnv('XDG_CONFIG_HOME', join(at.project.folder, 'config'));
    vi.stubEnv('KEY_OF_NOBODY', undefined);
    at.project.edit('configs/providers.yaml', '# key: OPENAI_API_KEY', 'key: KEY_OF_NOBODY');
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await at.close();
  });
  /** Nobody listens there. */
  const cluster = (more: string) =>
    at.project.write(
      'cje.remote.yaml',
      `remote: { url: shared, trusted: ['ed25519:${'A'.repeat(43)}'] }\ncluster: { redis: 'redis://127.0.0.1:9', account: lab, workers: {}${more} }\n`,
    );
  const build = async () => {
    const ran = await at.cje('build', 'responses/brief');
    return [ran.exit, problem(ran)];
  };

  it('a build needs no key where a till holds it, and needs it where there is none', async () => {
    expect(await build()).toEqual([2, 'CJE-NO-KEY']);
    at.project.write('cje.remote.yaml', `cluster: { redis: 'redis://127.0.0.1:9', account: lab }\n`);
    expect(await build()).toEqual([1, 'CJE-REDIS-UNREACHABLE']);
    at.project.write('cje.remote.yaml', `cluster: { redis: 'redis://127.0.0.1:9', account: lab, till: false }\n`);
    expect(await build()).toEqual([2, 'CJE-NO-KEY']);
  });

  it('workers are printed eight at a time with four jobs each, or as many as is said', async () => {
    cluster('');
    const slurm = async (...args: string[]) => (await at.cje('worker', '--print-slurm', ...args)).stdout;
    expect(await slurm()).toMatch(/--array=0-7\n(.|\n)*--cpus-per-task=4\n/);
    expect(await slurm('--workers', '3', '-j', '2')).toMatch(/--array=0-2\n(.|\n)*--cpus-per-task=2\n/);
    const pods = async (...args: string[]) => {
      const { stdout } = await at.cje('worker', '--print-k8s', ...args);
      const { spec } = parseAllDocuments(stdout)[1]!.toJS();
      return [spec.parallelism, spec.template.spec.containers[0].image];
    };
    expect(await pods()).toEqual([8, expect.stringMatching(/^cje:\d/)]);
    expect(await pods('--workers', '3', '--image', 'lab/cje:1')).toEqual([3, 'lab/cje:1']);
  });

  it('a till and a worker say what is missing', async () => {
    expect(problem(await at.cje('cluster', 'status'))).toBe('CJE-REDIS-UNREACHABLE');
    cluster(', till: false');
    expect(problem(await at.cje('till'))).toBe('CJE-CLUSTER-MISSING');
    at.project.write('cje.remote.yaml', `cluster: { redis: 'redis://127.0.0.1:9', account: lab }\n`);
    expect((await at.cje('worker', '--print-slurm')).exit).toBe(2);
  });
});

describe('cje gate', () => {
  const claims = async (judge: 'alone' | 'in pairs') => {
    const at = await pricedProject({ confirmAbove: 100, prompts: 2, answer: pairsToo });
    try {
      if (judge === 'in pairs') {
        at.project.edit(
          'pipeline.yaml',
          'responses: "responses/${policy}" }\n    params: { judge',
          'responses: "responses/${policy}", against: responses/brief }\n    params: { judge',
        );
        at.project.edit('configs/judge.yaml', 'scale: [1, 5]\noutput: score', 'output: pairwise');
        const [head, rubric] = at.project.read('configs/judge.yaml').split('template: |\n');
        expect(rubric).toContain('{{response}}');
        const shown = ['a', 'b'].map((side) => `<response_${side}>{{response_${side}}}</response_${side}>`);
        at.project.write('configs/judge.yaml', `${head}template: |\n  {{messages}} ${shown.join(' ')}\n`);
      }
      const pair = ['--baseline', 'brief', '--candidate', 'thorough', '--on', 'judge', '--margin', '0.5'];
      const { stdout, stderr } = await at.cje('gate', ...pair, '--max-prompts', '2');
      expect(stderr).toBe('');
      return /the (mean judge score|chance to win against the reference) of thorough/.exec(stdout)?.[1];
    } finally {
      await at.close();
    }
  };

  it('says which number is tested: a score, or with a judge of pairs a chance to win', async () => {
    expect(await claims('alone')).toBe('mean judge score');
    expect(await claims('in pairs')).toBe('chance to win against the reference');
  });
});

/** A judge of pairs, too: the longer answer wins. */
function pairsToo(request: ChatRequest): string {
  const [, a, b] =
    /<response_a>([\s\S]*)<\/response_a> <response_b>([\s\S]*)<\/response_b>/.exec(
      request.messages.at(-1)?.content ?? '',
    ) ?? [];
  if (a === undefined || b === undefined) return policiesAndJudge(request);
  return JSON.stringify({
    analysis: 'By length.',
    winner: a.length > b.length ? 'A' : a.length < b.length ? 'B' : 'tie',
  });
}

describe('what is remembered of the last build', () => {
  let at: PricedProject;
  beforeAll(async () => {
    at = await pricedProject({ prompts: 2 });
  });
  afterAll(() => at.close());
  const memory = () => join(at.project.folder, '.cache', 'fast-path.json');
  const isKept = async (...args: string[]) => {
    at.project.write('.cache/fast-path.json', '{}');
    const { exit } = await at.cje('build', ...args);
    return [exit, existsSync(memory())];
  };

  it('is forgotten before anything is run or asked again, even where that is not approved then, and with each record', async () => {
    expect((await at.cje('build', 'prompts', '--offline')).exit).toBe(0);
    expect(await isKept('responses')).toEqual([3, true]);
    expect(await isKept('responses', '--force', 'responses')).toEqual([3, false]);
    expect(await isKept('responses', '--ask-again', 'responses/brief')).toEqual([3, false]);
    expect(await isKept('responses', '--retry-failed')).toEqual([3, false]);
    // Named builds are not remembered, and their record is one more.
    at.project.edit('pipeline.yaml', 'confirm_above: 1 ', 'confirm_above: 100 ');
    expect(await isKept('responses', '--tag', 'one')).toEqual([0, false]);
  });
});

describe('cje power --allocate', () => {
  const parent = emptyProject();
  let project: Project;
  beforeAll(async () => {
    const rows = Array.from({ length: 40 }, (_, index) => ({
      prompt_id: `q${index}`,
      prompt: `How much is ${index}?`,
      response: 'Much.',
      base_policy_logprob: -10,
      target_policy_logprobs: { other: -10 - (index % 5) / 10 },
      judge_score: (index % 10) / 10,
      ...(index % 3 === 0 ? { oracle_label: ((index + 1) % 10) / 10 } : {}),
    }));
    mkdirSync(join(parent.folder, 'data'));
    parent.write('data/logged_data.jsonl', rows.map((row) => JSON.stringify(row)).join('\n'));
    const made = await runIn(parent.folder, 'init', 'mine', '--from', 'import', 'data');
    expect([made.exit, made.stderr]).toEqual([0, '']);
    project = projectIn(join(parent.folder, 'mine'));
    expect((await runIn(project.folder, 'build', 'dataset')).exit).toBe(0);
  });
  afterAll(() => removeProject(parent));

  it('chooses by the seed 1, unless told', async () => {
    const chosen = async (...args: string[]) =>
      (await runIn(project.folder, 'power', '--allocate', '5', ...args)).stdout;
    const own = await chosen();
    expect(own).toContain('"label":true');
    expect([await chosen('--seed', '1'), (await chosen('--seed', '2')) === own]).toEqual([own, false]);
  });
});

describe('cje cache import', () => {
  it.each([`xsha256:${'0'.repeat(64)}`, `sha256:${'0'.repeat(65)}`, `sha256:${'0'.repeat(63)}g`])(
    'takes no digest %s, and reads nothing for it',
    async (digest) => {
      const ran = await runIn(ROOT, 'cache', 'import', 'nowhere.pack', '--expect', digest);
      expect([ran.exit, problem(ran)]).toEqual([2, 'CJE-BAD-OPTION']);
    },
  );
});

describe('cje simulate', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it('has batches go as the file says, and ends with 0 when it is told to', async () => {
    const project = emptyProject();
    const stdout = new PassThrough();
    const handlers = new Map<string | symbol, () => void>();
    vi.spyOn(process, 'on').mockImplementation((name, handler) => {
      handlers.set(name, handler);
      return process;
    });
    try {
      project.write('batches.yaml', 'unanswered: 1\n');
      const streams = { stdin: new PassThrough(), stdout, stderr: new PassThrough() };
      const args = ['simulate', '--batches', join(project.folder, 'batches.yaml'), '--json'];
      const ended = main(args, pathToFileURL(`${project.folder}/`), streams);
      const { url } = JSON.parse(await new Promise<string>((resolve) => stdout.once('data', resolve))) as {
        url: string;
      };
      const form = new FormData();
      form.set('purpose', 'batch');
      form.set('file', new Blob([`${JSON.stringify(LINE)}\n`]), 'x.jsonl');
      const uploaded = await fetch(`${url}/files`, { method: 'POST', body: form });
      const { id } = (await uploaded.json()) as { id: string };
      const batch = { input_file_id: id, endpoint: '/v1/chat/completions', completion_window: '24h' };
      const headers = { 'content-type': 'application/json' };
      const made = fetch(`${url}/batches`, { method: 'POST', headers, body: JSON.stringify(batch) });
      // Made, and the answer is lost.
      await expect(made.then(({ status }) => status)).rejects.toThrow();
      await vi.waitUntil(() => handlers.has('SIGINT'));
      handlers.get('SIGINT')!();
      expect(await ended).toBe(0);
    } finally {
      removeProject(project);
    }
  });
});

const LINE = {
  custom_id: 'a',
  method: 'POST',
  url: '/v1/chat/completions',
  body: { model: 'sim-base', messages: [{ role: 'user', content: 'Hi' }] },
};
