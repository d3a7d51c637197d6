/** The pages of an experiment of one's own: a judge and people on a scale from 1 to 5, a comparison, a panel. */

import { beforeEach, describe, expect, it } from 'vitest';
import { canonicalJson } from '../../src/core/json.ts';
import { answer } from '../../src/viewer/answer.ts';
import { NOW } from '../../src/viewer/model/build-source.ts';
import type { OpenBuild } from '../../src/viewer/model/open-build.ts';
import { links } from '../../src/viewer/parts/links.ts';
import { workshop } from '../store/support.ts';
import { nodeMaker, openStudy, sourceOf } from './study.ts';

const { folder, open } = workshop();
const POLICIES = ['brief', 'thorough'] as const;
/** From 1 to 5, by prompt: thorough is better on three of six, worse on one; one has no score of it. */
const SCORES = { brief: [1, 2, 3, 3, 5, 2], thorough: [5, 3, 3, 4, 4, null] } as const;
const ids = SCORES.brief.map((_, index) => `q${index}`);
const unit = (score: number | null) => (score === null ? null : (score - 1) / 4);

let run: OpenBuild;
beforeEach(async () => {
  const store = open(folder());
  const node = nodeMaker(store);
  const each = (name: (policy: string) => string) =>
    POLICIES.map((policy) => ['scores', policy, name(policy)] as const);
  run = openStudy(store, [
    await node('prompts', 'prompts', { rows: ids.map((prompt_id) => ({ prompt_id, prompt: `Why ${prompt_id}?` })) }),
    ...(await Promise.all(
      POLICIES.flatMap((policy) => [
        node(`responses/${policy}`, 'responses', {
          rows: ids.map((prompt_id) => ({ prompt_id, status: 'ok', response: `${policy} on ${prompt_id}` })),
          asks: true,
          inputs: [['prompts', '', 'prompts']],
        }),
        node(`scores/${policy}`, 'scores', {
          rows: ids.map((prompt_id, index) => ({
            prompt_id,
            status: SCORES[policy][index] === null ? 'unparseable' : 'ok',
            score: unit(SCORES[policy][index]!),
            variance: 0.01,
            criteria: { accuracy: 0.75, clarity: 0.25 },
            draws: [0.5, 0.75],
            rationale: `Reason for ${policy}`,
          })),
          asks: true,
          params: { judge: { scale: [1, 5] } },
          inputs: [['responses', '', `responses/${policy}`]],
        }),
      ]),
    )),
    await node('duels/thorough', 'scores', {
      rows: ids.map((prompt_id) => ({ prompt_id, status: 'ok', score: 0.5, variance: 0, orders: [1, 0] })),
      asks: true,
      params: { judge: { output: 'pairwise' } },
      inputs: [
        ['responses', '', 'responses/thorough'],
        ['against', '', 'responses/brief'],
      ],
    }),
    await node('labels', 'table-labels', {
      rows: [{ policy: 'brief', prompt_id: 'q0', status: 'ok', label: 0.25, raters: 3 }],
      params: { scale: [1, 5] },
      inputs: [['responses', 'brief', 'responses/brief']],
    }),
    await node('dataset', 'dataset', {
      rows: [],
      params: { scorer: 'rubric' },
      inputs: each((policy) => `scores/${policy}`),
      files: {
        'quality.json': canonicalJson({
          scorer: 'rubric',
          scale: [1, 5],
          calibration: {
            mode: 'monotone',
            curve: [
              [0, 2],
              [1, 4],
            ],
            points: [],
            rmse: 0,
          },
        }),
      },
    }),
  ]);
});

const page = async (address: string): Promise<string> => (await answer(address, sourceOf(run))).body;
const read = (text: string): string => text.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');
const itemsOn = (text: string) => [...text.matchAll(/<th scope="row"><a [^>]*>(q\d)<\/a>/g)].map(([, id]) => id);

describe('a judge with a scale', () => {
  it('goes by the name that the dataset gives it, and speaks in its own units beside the labels in theirs', async () => {
    const text = read(await page(links.item(NOW, 'q0')));
    // 1 of 1–5 is the lowest score, whose reward is 2; the reasons stand beside it.
    expect(text).toMatch(
      /rubric 1\.000 ± 0\.400 → 2\.000 accuracy 4\.000 clarity 2\.000 draws 3\.000, 4\.000 Reason for brief/,
    );
    expect(text).toContain('rubric 5.000 ± 0.400 → 4.000');
    expect(text).toContain('Label 2 mean of 3 people');
  });

  it('shows a comparison with whom it was, and that its orders disagree', async () => {
    const text = read(await page(links.item(NOW, 'q1')));
    expect(text).toMatch(
      /thorough on q1 .*duels, against brief 0\.500 shown first won shown second lost The two orders disagree/,
    );
  });
});

it('draws a node’s scores on the scale of its judge', async () => {
  const scores = await page(links.node(NOW, 'scores/thorough'));
  expect(read(scores)).toMatch(/score, from 1 to 5 5 3\.800 0\.837 3\.000/);
  expect(read(await page(links.node(NOW, 'duels/thorough')))).not.toContain('score, from');
});

describe('data that was imported', () => {
  const text = (policy: string, more: object) => canonicalJson({ policy, prompt_id: 'q0', prompt: 'Why q0?', ...more });
  const fresh = (policy: string, score: number) =>
    canonicalJson({ policy, prompt_id: 'q0', judge_score: score, judge_variance: 0, oracle_label: null });

  it('is read with its texts and reasons, on the scale of its judge, and found by them', async () => {
    const store = open(folder());
    const texts = [
      text('north', { response: 'By <b>waves</b>.', rationale: 'Too short' }),
      text('south', { response: null }),
    ];
    const imported = await nodeMaker(store)('dataset', 'import', {
      rows: [],
      params: { scorer: 'rated', judge_scale: [1, 5] },
      files: {
        'fresh.jsonl': `${fresh('north', 0.5)}\n${fresh('south', 1)}\n`,
        'texts.jsonl': `${texts.join('\n')}\n`,
      },
    });
    run = openStudy(store, [imported]);
    const whole = await page(links.item(NOW, 'q0'));
    expect(whole).toContain('By &lt;b&gt;waves&lt;/b&gt;.');
    expect(read(whole)).toMatch(/Prompt Why q0\? .*rated 3\.000 Too short .*rated 5\.000/);
    expect(itemsOn(await page(links.items(NOW, { text: 'WAVES' })))).toEqual(['q0']);
    expect(itemsOn(await page(links.items(NOW, { text: 'particles' })))).toEqual([]);
  });
});

describe('two policies', () => {
  const pair = { a: 'thorough', b: 'brief' };

  it('order the items by their difference, either way or by its size', async () => {
    const order = async (name: string) => itemsOn(await page(links.items(NOW, { ...pair, order: name })));
    expect(await order('ahead')).toEqual(['q0', 'q1', 'q3', 'q2', 'q4', 'q5']);
    expect((await order('behind'))[0]).toBe('q4');
    expect((await order('apart'))[0]).toBe('q0');
    expect(read(await page(links.items(NOW, { ...pair, order: 'ahead' })))).toContain('Why q0? 4.000 1 2 5');
  });

  it('choose the items that they differ on', async () => {
    const chosen = async (only: 'differ' | 'a-better' | 'b-better' | 'tied') =>
      itemsOn(await page(links.items(NOW, { ...pair, only })));
    expect(await chosen('differ')).toEqual(['q0', 'q1', 'q3', 'q4']);
    expect(await chosen('a-better')).toEqual(['q0', 'q1', 'q3']);
    expect(await chosen('b-better')).toEqual(['q4']);
    expect(await chosen('tied')).toEqual(['q2']);
  });

  it('stand head to head, with the difference paired by prompt', async () => {
    const body = await page(links.pair(NOW, pair));
    expect(body.match(/<circle class="a"/g)).toHaveLength(3);
    expect(body.match(/<circle class="b"/g)).toHaveLength(1);
    const text = read(body);
    // Differences 4, 1, 0, 1, −1: mean 1, standard error √(3.5 / 5), Student’s 2.776.
    expect(text).toContain('thorough − brief, is 1.000 [−1.323, 3.323], paired over 5 prompts');
    expect(text).toContain('The scores do not tell them apart');
    expect(text).toContain('1 prompt without a score of both');
    expect(body).toContain(
      links.items(NOW, { ...pair, scorer: 'rubric', only: 'a-better', order: 'ahead' }).replace(/&/g, '&amp;'),
    );
  });

  it('are the first two where the address names none, and a policy is not held against itself', async () => {
    expect(read(await page(links.pair(NOW)))).toContain('brief against thorough');
    expect(read(await page(links.pair(NOW, { a: 'brief', b: 'brief' })))).toContain('brief against thorough');
    const plain = await page(links.items(NOW, { a: 'brief', b: 'brief' }));
    expect(plain).not.toContain('furthest ahead');
  });
});
