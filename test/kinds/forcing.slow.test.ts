/** Rows as the stages make them, against a server with an exactly known model: the exact number of the sampled tokens, or none. */

import { describe, expect, it } from 'vitest';
import type { LogprobRow } from '../../src/datasets/rows.ts';
import { logprobs } from '../../src/kinds/logprobs.ts';
import { responses } from '../../src/kinds/responses.ts';
import { renderChat } from '../../src/teacher-forcing/templates.ts';
import { exactLogprob, type Ways } from '../servers/tokenizer-server.ts';
import {
  drive,
  forcedUnder,
  LOGPROB_ROW,
  type Outcome,
  policyOf,
  prompts,
  ref,
  SAMPLES,
  type Sampled,
  sampledUnder,
} from './forced-rows.ts';

const usable = ({ statuses }: Outcome): number => (statuses.ok ?? 0) / SAMPLES;

const GOOD: readonly (readonly [string, Ways])[] = [
  ['vLLM', { show: 'deferred' }],
  ['an older vLLM', { show: 'hidden' }],
  ['vLLM that names tokens by their ids', { show: 'named' }],
  ['vLLM that shows pieces of the vocabulary', { show: 'pieces' }],
  ['a server that names halves by their bytes', { show: 'bytes' }],
  ['a server of a sentencepiece vocabulary', { show: 'sentencepiece' }],
  ['SGLang', { show: 'replaced', extra: 'one' }],
  ['SGLang with Latin-1 halves', { show: 'latin1', extra: 'one' }],
  ['Fireworks, the older shape', { ids: 'logprobs' }],
  ['Fireworks, content', { shape: 'content' }],
  ['a server that refuses no tokens', { extra: 'refuses-zero' }],
  ['a server that hides the beginning', { bos: 'hidden' }],
  ['a server that leaves the beginning out', { bos: 'left-out' }],
  ['a server that leaves it out and generates one token', { bos: 'left-out', extra: 'one' }],
  ['a server that counts nothing', { usage: 'none' }],
  ['a server that drops the end of a turn', { end: 'dropped' }],
  ['a server that drops the end of a turn, and names tokens by their ids', { end: 'dropped', show: 'named' }],
];

describe.each([
  ...GOOD.map((good) => ['ids', ...good] as const),
  [
    'generate',
    'a route with Latin-1 halves, and no echo beside it',
    { show: 'latin1', echo: 'ignored' } as Ways,
  ] as const,
])('by %s, %s', (forcing, name, ways) => {
  // Whether the last half of a broken character ended the answer, or an end that is not there, nothing can tell.
  const least = name.includes('drops the end') ? 0.9 : 0.99;
  const model = ref({ forcing, echoTokens: ways.extra === 'refuses-zero' ? 1 : 0 });
  const sampled = sampledUnder(model, ways);

  it('gives every row the exact number of the tokens that were sampled', () => {
    const found = forcedUnder(model, ways, sampled);
    expect(found.wrong).toEqual([]);
    expect(usable(found), JSON.stringify(found.statuses)).toBeGreaterThanOrEqual(least);
    for (const { status, check } of found.rows) {
      if (status === 'ok') expect(check).toMatchObject({ agreement: 'agrees' });
    }
  });

  it('gives another policy the exact number of the same tokens', () => {
    const found = forcedUnder(model, ways, sampled, { system: 'Think first.' });
    expect(found.wrong).toEqual([]);
    expect(usable(found)).toBeGreaterThanOrEqual(least);
    expect(found.rows.some(({ check }) => check !== undefined)).toBe(false);
    // The ids of the prompt were asked for.
    expect(found.requests.length).toBeGreaterThanOrEqual(2 * SAMPLES * least);
  });
});

describe.each([
  ...GOOD,
  ['Together', { shape: 'separate', ids: 'none' }] as const,
  ['no ids at all', { ids: 'none' }] as const,
])('%s, by text', (name, ways) => {
  const model = ref({ forcing: 'text', echoTokens: ways.extra === 'refuses-zero' ? 1 : 0 });
  const sampled = sampledUnder(model, ways);

  it('gives no row a number of other tokens, and tells what other tokens cost', () => {
    const found = forcedUnder(model, ways, sampled);
    expect(found.wrong).toEqual([]);
    expect(found.statuses.retokenized ?? 0, JSON.stringify(found.statuses)).toBeGreaterThan(
      name.includes('names tokens') ? -1 : 0,
    );
  });
});

describe('what is kept', () => {
  it('is nothing without the setting, and the request is the one of before', () => {
    const { row, requests } = drive(
      responses.row(prompts[0]!, { policy: policyOf(ref()), temperature: 'policy', draws: 1, replicate: 0 }),
      {},
      'x',
    );
    expect(row).not.toHaveProperty('sampled');
    expect(Object.keys(requests[0]!.body).sort()).toEqual(['max_tokens', 'model', 'prompt', 'temperature', 'top_p']);
  });
});

const WRONG: readonly (readonly [NonNullable<Ways['wrong']>, RegExp])[] = [
  ['shifted', /^(shape|forced_shifted)$/],
  ['shifted-null', /^forced_shifted$/],
  ['base-2', /^forced_scaled$/],
  ['scaled', /^forced_scaled$/],
  ['probability', /^forced_probability$/],
  ['offset', /^forced_(differs|zeroed)$/],
  ['zeros', /^(forced_zeroed|suspicious)$/],
  ['zeros-tail', /^(forced_zeroed|suspicious)$/],
  ['nulls', /^shape$/],
  ['positive', /^bad_value$/],
  ['clamped', /^bad_value$/],
  ['cut-left', /^(echo_cut|text_mismatch|retokenized)$/],
  ['cut-right', /^(echo_cut|text_mismatch|ok)$/],
];

describe.each(WRONG)('a server whose forced values are wrong: %s', (wrong, name) => {
  // What is wrong with a prompt alone does not reach a route that begins behind it.
  const forcings = (['ids', 'text', 'generate'] as const).slice(0, wrong === 'nulls' ? 2 : 3);
  it.each(forcings)('by %s no row of its own answers is ok and off, and most say why', (forcing) => {
    const model = ref({ forcing });
    const sampled = sampledUnder(model, {}).filter(({ ids }) => ids.length >= 8);
    const found = forcedUnder(model, { wrong }, sampled);
    expect(found.wrong).toEqual([]);
    const named = found.rows.filter(({ status }) => name.test(status)).length;
    const judged = found.rows.filter(({ status }) => !/retokenized|cut_character/.test(status)).length;
    expect(judged).toBeGreaterThan(2);
    expect(named / judged, JSON.stringify(found.statuses)).toBeGreaterThan(0.9);
  });
});

describe('a server that cuts prompts to make room for answers', () => {
  it.each(['ids', 'generate', 'text'] as const)('by %s gives no row the number of another prompt', (forcing) => {
    const model = ref({ forcing });
    const cut = sampledUnder(model, { window: 75 }, '', 10);
    const found = forcedUnder(model, { window: 75 }, cut);
    expect(found.wrong).toEqual([]);
    expect(found.statuses.ok ?? 0, JSON.stringify(found.statuses)).toBe(0);
  });
});

describe('ids that are no use', () => {
  const ways: Ways = {};
  const sampled = sampledUnder(ref({ forcing: 'ids' }), ways);

  it.each<[string, Ways, string]>([
    ['are refused', { takesIds: 'refused' }, 'rejected'],
    ['do not come back', { ids: 'none' }, 'shape'],
  ])('%s', (_, more, status) => {
    const found = forcedUnder(ref({ forcing: 'ids' }), more, sampled);
    expect(found.statuses).toEqual({ [status]: SAMPLES });
  });

  it.each<[string, Ways, string]>([
    ['are refused', { takesIds: 'refused' }, 'rejected'],
    ['have no such route', { generate: 'absent' }, 'rejected'],
    ['are measured from their beginning', { generate: 'from-0' }, 'retokenized'],
    ['are measured from one too late', { generate: 'one-late' }, 'echo_cut'],
  ])('by generate, %s', (_, more, status) => {
    const found = forcedUnder(ref({ forcing: 'generate' }), more, sampled);
    expect(found.statuses).toEqual({ [status]: SAMPLES });
  });

  it('are read as text and made anew', () => {
    const found = forcedUnder(ref({ forcing: 'ids' }), { takesIds: 'decoded' }, sampled);
    expect(found.wrong).toEqual([]);
    expect(
      Object.keys(found.statuses).every((status) => ['ok', 'retokenized', 'echo_cut', 'shape'].includes(status)),
    ).toBe(true);
    expect(found.statuses.ok ?? 0).toBeLessThan(SAMPLES);
  });

  it('belong to another vocabulary', () => {
    const moved = sampled.map(({ row, ids }) => ({
      ids,
      row: { ...row, sampled: { ...row.sampled!, tokens: [], ids: ids.map((id) => (id + 7) % 256) } },
    }));
    const found = forcedUnder(ref({ forcing: 'ids' }), ways, moved);
    expect(found.statuses.ok ?? 0).toBe(0);
  });

  it('lack the beginning that the template says the server writes', () => {
    const never = sampledUnder(ref({ forcing: 'ids' }), { bos: 'never' });
    expect(forcedUnder(ref({ forcing: 'ids' }), { bos: 'never' }, never).statuses).toEqual({ bos: SAMPLES });
  });

  it('are doubled at the beginning', () => {
    const twice = sampledUnder(ref({ forcing: 'ids' }), { bos: 'twice' });
    expect(forcedUnder(ref({ forcing: 'ids' }), { bos: 'twice' }, twice).statuses).toEqual({ bos: SAMPLES });
  });
});

describe('a policy that samples at another temperature', () => {
  const hot = { temperature: 0.6, top_p: 1 };
  const FEW = 8;

  it.each(['ids', 'generate', 'text'] as const)(
    'by %s has the value of that temperature, within its bound',
    (forcing) => {
      const model = ref({ forcing });
      let [told, widest] = [0, 0];
      for (const { row, ids } of sampledUnder(model, {})) {
        const params = { policy: policyOf(model), passes: 1, replicate: 0, sampled: hot, alternatives: 60 };
        const { row: made } = drive(logprobs.row(row, params), {}, row.prompt_id);
        LOGPROB_ROW.parse(made);
        const { status, logprob, as_sampled: law } = made as LogprobRow;
        if (status !== 'ok') continue;
        told++;
        const prompt = renderChat('llama4', [{ role: 'user', content: row.prompt }], { bos: false });
        expect(Math.abs(logprob! - exactLogprob('base', prompt, ids, 0.6))).toBeLessThanOrEqual(law!.bound + 1e-9);
        expect(law!.raw).toBeCloseTo(exactLogprob('base', prompt, ids), 6);
        widest = Math.max(widest, law!.bound);
      }
      expect(told).toBeGreaterThan(forcing === 'text' ? 0 : 0.9 * FEW);
      expect(widest).toBeGreaterThan(0);
    },
  );

  it('has no number where the server tells no alternatives, and asks for none where none are needed', () => {
    const model = ref({ forcing: 'ids' });
    const [{ row }] = sampledUnder(model, {}) as [Sampled];
    const params = { policy: policyOf(model), passes: 1, replicate: 0, sampled: hot };
    expect(drive(logprobs.row(row, params), { top: 'none' }, 'x').row.status).toBe('no_alternatives');
    for (const sampled of [
      { temperature: 1, top_p: 1 },
      { temperature: 1.3, top_p: 1 },
      { temperature: 0.5, top_p: 0.9 },
    ]) {
      const plain = drive(logprobs.row(row, { ...params, sampled }), {}, 'x');
      expect(plain.row).not.toHaveProperty('as_sampled');
      expect(plain.requests.map(({ body }) => body.logprobs)).toEqual(plain.requests.map(() => 1));
    }
  });
});
