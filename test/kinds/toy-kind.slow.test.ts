/**
 * A new kind is one file and its registration. The ones below are defined in this test and registered beside the shipped
 * kinds; wiring, names, viewer, diff, canary and export know them from what they say of themselves.
 */

import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { differenceOf } from '../../src/compare/difference.ts';
import { findingsOf } from '../../src/compare/trial-findings.ts';
import { ask } from '../../src/core/call.ts';
import { digestText } from '../../src/core/digest.ts';
import { type CallsKind, ROWS, type RowType, type TransformKind } from '../../src/core/kind.ts';
import { modelRef } from '../../src/core/params.ts';
import { ProblemError } from '../../src/core/problem.ts';
import { FRESH, QUALITY } from '../../src/datasets/dataset-rows.ts';
import { chosenDataset } from '../../src/datasets/nodes.ts';
import { DATASET, DRAWS, QUALITY_JSON, RESPONSES } from '../../src/datasets/row-types.ts';
import { promptItem, type ResponseRow } from '../../src/datasets/rows.ts';
import { targetsOf } from '../../src/doctor/probe-targets.ts';
import { showItem } from '../../src/engine/explain/show.ts';
import { readInput } from '../../src/engine/inputs.ts';
import { canary } from '../../src/engine/trial/trial.ts';
import { renderChat } from '../../src/teacher-forcing/templates.ts';
import { compareText } from '../../src/terminal/compare-text.ts';
import { answer } from '../../src/viewer/answer.ts';
import { nodesNow } from '../../src/viewer/model/build-nodes.ts';
import { NOW } from '../../src/viewer/model/build-source.ts';
import { openBuild } from '../../src/viewer/model/open-build.ts';
import { RowTables } from '../../src/viewer/model/row-tables.ts';
import { links } from '../../src/viewer/parts/links.ts';
import { kindsWith } from '../helpers/kinds.ts';
import { completion } from '../helpers/openai.ts';
import { BUILD_OPTIONS, shippedGraph, simulatedBuild, simulatedPorts } from '../helpers/simulated.ts';
import { workshop } from '../store/support.ts';
import { sourceOf } from '../viewer/study.ts';

const { folder, open } = workshop();

type ToneRow = { readonly of: string; readonly status: string; readonly warmth: number | null };
const TONES: RowType<ToneRow> = {
  name: 'tones',
  schema: () => z.strictObject({ of: z.string(), status: z.string(), warmth: z.number().nullable() }),
};

/** Its rows have no prompt_id, so that nothing could guess what they are of. */
const tone: CallsKind<{ model: z.infer<ReturnType<typeof modelRef>>; question: string }, ResponseRow> = {
  name: 'tone',
  about: 'how warm each response is',
  shape: 'calls',
  params: z.strictObject({ model: modelRef(), question: z.string() }),
  inputs: { answers: { arity: 'one', rows: [RESPONSES] } },
  outputs: { [ROWS]: TONES },
  measures: [{ column: 'warmth', label: 'warmth', scale: 'unit', drawn: true, compared: true }],
  item: ({ of, prompt_id }) => ({ id: `tone of ${of ?? prompt_id}`, prompt: String(of ?? prompt_id) }),
  expect: ({ model }, sizes) => {
    const items = sizes.one('answers');
    return { items, calls: [{ model, calls: items, inputTokens: 9, outputTokens: 9, outputTokensAtMost: 20 }] };
  },
  items: (_, inputs) => inputs.one('answers').rows(RESPONSES),
  *row({ prompt_id: of, response }, { model, question }) {
    const messages = [{ role: 'user' as const, content: `${question} ${response}` }];
    const prompt = renderChat(model.dialect.template, messages, { bos: model.dialect.bos === 'prompt' });
    const asked = yield* ask(completion(model, { prompt, maxTokens: 20, temperature: 1 }, 'tone'));
    if (!asked.ok) return { of, status: asked.failure.reason, warmth: null };
    // Any number that moves with what was asked and answered.
    const digest = digestText(`${prompt} ${asked.reply.text}`);
    return { of, status: 'ok', warmth: Number.parseInt(digest.slice(0, 4), 16) / 0xffff };
  },
};

/** A dataset made of another. */
const half: TransformKind<Record<string, never>> = {
  name: 'half',
  about: 'every other row of a dataset',
  shape: 'transform',
  params: z.strictObject({}),
  inputs: { dataset: { arity: 'one', rows: [DATASET] } },
  outputs: { [ROWS]: DATASET, [FRESH]: DRAWS, [QUALITY]: QUALITY_JSON },
  item: promptItem,
  expect: (_, sizes) => ({ items: Math.ceil(sizes.one('dataset') / 2), calls: [] }),
  run: (_, inputs) => {
    const input = inputs.one('dataset');
    return {
      files: {
        [ROWS]: [...input.rows(DATASET)].filter((__, index) => index % 2 === 0),
        [FRESH]: input.rows(DRAWS, FRESH),
        [QUALITY]: input.text(QUALITY),
      },
    };
  },
};

const KINDS = kindsWith(tone, half);

const stages = (question: string, wires = { tone: 'responses/${policy}', half: 'dataset/deterministic' }) => `
  tone:
    kind: tone
    matrix: { policy: [p0, pi_cot] }
    inputs: { answers: '${wires.tone}' }
    params: { model: scout, question: ${question} }
  half:
    kind: half
    inputs: { dataset: '${wires.half}' }
`;
const graphOf = (question = 'Warm?') => shippedGraph(KINDS, (text) => text + stages(question));

const TARGETS = ['tone/p0', 'tone/pi_cot', 'half'];

async function built() {
  const store = open(folder());
  const graph = graphOf();
  const ports = simulatedPorts(graph, KINDS, store);
  await simulatedBuild(graph, TARGETS, ports);
  const tones = (await nodesNow(graph, ports)).find(({ name }) => name === 'tone/p0')!;
  const rows = [...readInput(tones.action!, store.blobs).rows(TONES)];
  return { store, graph, ports, rows };
}

describe('a kind that is one file and its registration', () => {
  it('has its wiring checked: every wrong wire at once, at its place, with the stages that would fit', () => {
    const wrong = { tone: 'scores/deterministic/${policy}', half: 'responses/p0' };
    const problems = (() => {
      try {
        shippedGraph(KINDS, (text) => text + stages('Warm?', wrong));
      } catch (error) {
        if (error instanceof ProblemError) return error.problems;
        throw error;
      }
      return [];
    })();
    expect(problems.map(({ headline, hint }) => [headline, hint])).toEqual([
      [
        "The input 'answers' takes 'responses', and the stage 'scores' makes 'scores'",
        'Stages that would fit: responses.',
      ],
      [
        "The input 'dataset' takes 'dataset', and the stage 'responses' makes 'responses'",
        'Stages that would fit: dataset.',
      ],
    ]);
    for (const { place } of problems) {
      expect(place?.file).toMatch(/pipeline\.yaml$/);
      expect(place?.excerpt?.slice(place.column! - 1)).toMatch(/^'(scores|responses)\//);
      expect(place?.line).toBeGreaterThan(200);
    }
  });

  it('names its items, which are found by these names', async () => {
    const { graph, ports, rows } = await built();
    const node = graph.nodes.get('tone/p0')!;
    const shown = await showItem(graph, node, `tone of ${rows[3]!.of}`, undefined, ports);
    expect(shown).toMatchObject({ item: `tone of ${rows[3]!.of}`, row: rows[3] });
    expect(shown?.calls).toHaveLength(1);
    expect(await showItem(graph, node, rows[3]!.of, undefined, ports)).toBeUndefined();
  });

  it('is shown by the viewer: beside the prompt, as an order of the items, as a histogram of its node', async () => {
    const { store, graph, ports, rows } = await built();
    const nodes = await nodesNow(graph, ports);
    const build = openBuild(NOW, undefined, nodes, new RowTables(store.blobs), ports);
    const query = {
      text: '',
      only: 'all',
      scorer: undefined,
      a: undefined,
      b: undefined,
      order: undefined,
      offset: 0,
      limit: 50,
    } as const;
    const { of, warmth } = rows[5]!;
    expect(build.item(of, query)?.measured).toMatchObject([
      { measure: { label: 'warmth' }, policy: 'p0', value: warmth, row: { node: 'tone/p0', item: `tone of ${of}` } },
      { measure: { label: 'warmth' }, policy: 'pi_cot', row: { node: 'tone/pi_cot' } },
    ]);
    const page = build.items({ ...query, order: 'high:tone/p0:p0:warmth' })!;
    expect(page.order.label).toBe('Highest warmth, p0');
    expect(page.rows.map(({ value }) => value)).toEqual(rows.map((row) => row.warmth).sort((a, b) => b! - a!));
    const [drawn] = build.columns('tone/p0');
    expect(drawn?.name).toBe('warmth');
    expect(drawn?.histogram.length).toBeGreaterThan(0);
    const html = (await answer(links.item(NOW, of), sourceOf(build))).body;
    expect(html).toContain('<th scope="row">warmth</th>');
    expect((await answer(links.calls(NOW, 'tone/p0', `tone of ${of}`), sourceOf(build))).body).toContain('Warm? ');
  });

  it('is compared between builds, and by a canary before', async () => {
    const { store, ports, rows } = await built();
    const graph = graphOf('Cold?');
    const never = new AbortController().signal;
    const options = { ...BUILD_OPTIONS, items: 6, interrupt: never, kill: never };
    const tried = await canary(graph, ['tone/p0'], options, ports);
    if (!('nodes' in tried)) throw new Error(tried.type);
    expect(tried.nodes.map((node) => findingsOf(node, KINDS))).toMatchObject([
      { node: 'tone/p0', agreement: { n: 6 } },
    ]);

    await simulatedBuild(graph, TARGETS, ports);
    const [after, before] = [...store.builds.list()];
    const difference = differenceOf(before!, after!, ports, false);
    expect(difference.measures).toMatchObject([{ rows: 'tones', label: 'warmth', unchanged: 0 }]);
    expect(difference.measures![0]!.changes.map(({ node, agreement }) => [node, agreement.n])).toEqual([
      ['tone/p0', rows.length],
      ['tone/pi_cot', rows.length],
    ]);
    expect(difference.scores.changes).toEqual([]);
    const text = compareText(difference, { color: false, width: 100 }, { verbose: false });
    expect(text).toMatch(/^warmth on the same items:$/m);
  });

  it('is a dataset to export and to plan from, where it writes one', () => {
    const graph = graphOf();
    const choose = (argument?: string) => chosenDataset({ graph, kinds: KINDS }, argument, (name) => name, 'cje power');
    expect(choose('half')).toBe('half');
    expect(() => choose('tone/p0')).toThrow('tone/p0 is no dataset');
    expect(() => choose()).toThrow('the pipeline has several datasets');
  });

  it('is probed by the doctor with an item of its own', () => {
    const uses = targetsOf(graphOf(), KINDS).flatMap((subject) => subject.uses);
    expect(uses.filter(({ kind }) => kind.name === 'tone').map(({ nodes }) => nodes)).toEqual([
      ['tone/p0', 'tone/pi_cot'],
    ]);
  });
});
