/** What a gate cuts out of a pipeline, and what it makes of the rows that it finds there. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkWritable, writeText } from '../../src/cli/written-file.ts';
import type { Graph, GraphInput, GraphNode } from '../../src/core/graph.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { hashedEach, takenInOrder } from '../../src/datasets/sample.ts';
import { gateJunit, gateMarkdown } from '../../src/decide/gate-files.ts';
import { gatePrompts } from '../../src/decide/gate-prompts.ts';
import { checkMargin, type GateQuestion, type GateResult, lacksTooMuch, lookAt } from '../../src/decide/gate-result.ts';
import { claimText, gateHead, lookLine } from '../../src/decide/gate-text.ts';
import { pairGraph, pairNodes } from '../../src/decide/pair-graph.ts';
import { BARE } from '../helpers/toy.ts';
import { input } from '../kinds/support.ts';

const pair = { candidate: 'p1', baseline: 'p0' };
const POLICIES = ['p0', 'p1', 'p2'];
const one = (node: string): GraphInput => ({ arity: 'one', nodes: [{ label: '', node }] });
const many = (stage: string): GraphInput => ({
  arity: 'many',
  nodes: POLICIES.map((label) => ({ label, node: `${stage}/${label}` })),
});

function graphOf(oracle: JsonObject): Graph {
  const nodes = new Map<string, GraphNode>();
  const add = (name: string, kind: string, params: JsonObject, inputs: Record<string, GraphInput>) =>
    nodes.set(name, { name, stage: name, kind, params, inputs, tolerate: 0, place: { file: 'pipeline.yaml' } });
  add('prompts', 'prompts', { samples: 200 }, {});
  for (const policy of POLICIES) {
    add(`responses/${policy}`, 'responses', {}, { prompts: one('prompts') });
    add(`scores/${policy}`, 'scores', {}, { responses: one(`responses/${policy}`) });
  }
  add('oracle', 'oracle', oracle, { responses: many('responses') });
  add('dataset', 'dataset', {}, { responses: many('responses'), scores: many('scores'), oracle: one('oracle') });
  add('imported', 'import', {}, {});
  return {
    name: 'gated',
    nodes,
    defaultTargets: ['dataset'],
    profile: 'sim',
    ...BARE,
  };
}

const ORACLE = {
  enabled: 'on',
  oracle: {},
  logger: 'p0',
  calibration_share: 0.5,
  validation_share: 0.25,
  seed: 1,
  validation_seed: 2,
};
const graph = graphOf(ORACLE);
const dataset = graph.nodes.get('dataset')!;

describe('the part of a pipeline that a gate buys', () => {
  it('is of the two policies and of so many prompts, and chooses labels one by one', () => {
    const nodes = pairNodes(graph, dataset, pair, undefined);
    expect(nodes.labels).toMatchObject({ asked: true, propensities: { candidate: 0.25, baseline: 0.5 } });
    const { graph: cut, targets, grows } = pairGraph(graph, pair, nodes, 50);
    expect(grows).toBe(true);
    expect(targets).toEqual(['scores/p1', 'scores/p0', 'oracle']);
    expect(cut.nodes.get('prompts')!.params).toEqual({ samples: 200, first: 50 });
    expect(cut.nodes.get('oracle')!.params).toMatchObject({ choose: 'each' });
    expect(cut.nodes.get('oracle')!.inputs.responses!.nodes.map(({ label }) => label)).toEqual(['p0', 'p1']);
    // The pipeline itself stays as it is.
    expect(graph.nodes.get('prompts')!.params).toEqual({ samples: 200 });
    expect(pairGraph(graph, pair, nodes, undefined).graph.nodes.get('prompts')!.params).toEqual({ samples: 200 });
    expect(pairNodes(graph, dataset, pair, 'judge').labels).toBeUndefined();
    expect(pairGraph(graph, pair, pairNodes(graph, dataset, pair, 'judge'), 50).targets).not.toContain('oracle');
  });

  it.each([
    [
      'a policy that is not there',
      ORACLE,
      { ...pair, candidate: 'p11' },
      'dataset',
      undefined,
      /no responses of a policy "p11"/,
    ],
    ['data that is there already', ORACLE, pair, 'imported', undefined, /there already/],
    [
      'no labels of the candidate',
      { ...ORACLE, validation_share: 0 },
      pair,
      'dataset',
      undefined,
      /labels no answer of p1/,
    ],
    ['no oracle', { ...ORACLE, enabled: 'off' }, pair, 'dataset', 'oracle' as const, /nobody labels/],
  ])('is refused for %s', (_, oracle, of, name, on, message) => {
    const given = graphOf(oracle);
    expect(() => pairNodes(given, given.nodes.get(name)!, of, on)).toThrow(message);
  });

  it('is the judge’s scale without being asked where the oracle is off', () => {
    const off = graphOf({ ...ORACLE, enabled: 'off' });
    expect(pairNodes(off, off.nodes.get('dataset')!, pair, undefined).labels).toBeUndefined();
  });
});

const N = 200;
const ids = Array.from({ length: N }, (_, i) => `q${i}`);
const question: GateQuestion = { ...pair, dataset: 'dataset', on: 'judge', margin: 0.05, alpha: 0.05, pairwise: false };

function rowsOf(more: {
  readonly lost?: readonly string[];
  readonly labelled?: (id: string, policy: string) => boolean;
}) {
  const { lost = [], labelled = () => true } = more;
  const nodes: Record<string, ReturnType<typeof input>> = {};
  const labels: JsonObject[] = [];
  for (const policy of ['p0', 'p1']) {
    const base = policy === 'p0' ? 0.5 : 0.6;
    nodes[`responses/${policy}`] = input({
      rows: ids.map((prompt_id) => ({ prompt_id, status: 'ok', response: 'r' })),
    });
    nodes[`scores/${policy}`] = input({
      rows: ids.map((prompt_id) => ({ prompt_id, score: lost.includes(prompt_id) ? null : base })),
    });
    for (const prompt_id of ids) {
      if (labelled(prompt_id, policy)) labels.push({ policy, prompt_id, status: 'ok', label: base / 2, scale: [1, 5] });
    }
  }
  nodes.oracle = input({ rows: labels });
  return (name: string) => nodes[name]!;
}

describe('the prompts of a gate', () => {
  const judge = pairNodes(graph, dataset, pair, 'judge');
  const oracle = pairNodes(graph, dataset, pair, 'oracle');

  it('are those with a score on both sides, and the others are counted', () => {
    const found = gatePrompts(pair, judge, rowsOf({ lost: ['q3', 'q7'] }));
    expect([found.prompts.length, found.missing, found.taken]).toEqual([N - 2, 2, N]);
    const look = lookAt(question, found, judge);
    expect(look).toMatchObject({ verdict: 'pass', missing: 2 });
    expect(look.difference).toBeCloseTo(0.1, 12);
    expect(lacksTooMuch(look)).toBe(false);
    expect(lacksTooMuch({ prompts: 94, missing: 6 })).toBe(true);
  });

  it('have the labels that were drawn for them, in the units of the labels', () => {
    const chosen = { p0: hashedEach(ids, 0.5, 1), p1: hashedEach(ids, 0.25, 2) };
    // People labelled all of p0; only what was drawn counts, for its probability is known.
    const read = rowsOf({ labelled: (id, policy) => policy === 'p0' || chosen.p1.has(id) });
    const found = gatePrompts(pair, oracle, read);
    expect(found.labels).toEqual({ candidate: chosen.p1.size, baseline: chosen.p0.size });
    expect(found.scale).toEqual([1, 5]);
    const look = lookAt({ ...question, on: 'oracle', margin: 1 }, found, oracle);
    // Labels of 0.3 and 0.25 on [0, 1] are 0.2 apart on 1 to 5.
    expect(look.difference).toBeGreaterThan(-0.4);
    expect(look.difference).toBeLessThan(0.8);
    expect(() => lookAt({ ...question, on: 'oracle', margin: 4 }, found, oracle)).toThrow(
      /no loss can be greater than 4/,
    );
    expect(() => gatePrompts(pair, oracle, rowsOf({ labelled: (_, policy) => policy === 'p0' }))).toThrow(
      /^0 of 200 answers of p1 have a label, where about 50 should/,
    );
  });

  it('come in one order, of which fewer are the beginning; a label once chosen stays', () => {
    const order = takenInOrder(ids);
    expect(takenInOrder([...ids].reverse())).toEqual(order);
    expect(takenInOrder(order.slice(0, 50))).toEqual(order.slice(0, 50));
    const [few, all] = [hashedEach(ids.slice(0, 50), 0.25, 3), hashedEach(ids, 0.25, 3)];
    expect([...few].every((id) => all.has(id))).toBe(true);
    expect(all.size).toBeGreaterThan(30);
    expect(all.size).toBeLessThan(70);
  });
});

describe('what a gate says before its first look', () => {
  it('is that no loss can be as large as the margin, in the units at hand', () => {
    expect(() => checkMargin(1, undefined)).toThrow('--margin is 1, and no loss can be greater than 1');
    expect(() => checkMargin(4, [1, 5])).toThrow('no loss can be greater than 4');
    expect(() => checkMargin(3.9, [1, 5])).not.toThrow();
  });

  it('fits a terminal of 80 columns, a look of any size too', () => {
    const look = {
      prompts: 12_345,
      missing: 0,
      labels: { candidate: 4_000, baseline: 4_000 },
      difference: -12.345,
      lower: -54.321,
      upper: 10.5,
      verdict: 'pass',
      decidedAt: 12_001,
    } as const;
    expect(
      lookLine(look, 50)
        .split('\n')
        .every((line) => line.length <= 50),
    ).toBe(true);
    const lines = lookLine(look).split('\n');
    expect(lines.every((line) => line.length <= 80)).toBe(true);
    expect(lines.join(' ').replace(/\s+/g, ' ')).toBe(
      '12,345 prompts, 8,000 labels: difference -12.345 [-54.321, 10.500], pass at prompt 12,001',
    );
  });

  it('names no scale, for no label is read yet', () => {
    const head = gateHead({ ...question, on: 'oracle', margin: 0.5 }, { labels: undefined });
    expect(head.replaceAll('\n', ' ')).toContain('is less than 0.5 below that of p0 (in their units)');
    for (const line of head.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    expect(claimText({ ...question, on: 'oracle', scale: [1, 5] })).toContain('(labels from 1 to 5)');
    expect(gateHead(question, { labels: undefined }).replaceAll('\n', ' ')).toContain('(scores from 0 to 1)');
  });
});

describe('the files of a gate', () => {
  it('are written into folders that are not there yet, and one that cannot be is a problem before anything is bought', () => {
    const folder = mkdtempSync(join(tmpdir(), 'cje-gate-'));
    const file = join(folder, 'a/b/gate.xml');
    checkWritable(file, 'the verdict');
    writeText(file, 'one', 'the verdict');
    checkWritable(file, 'the verdict');
    expect(readFileSync(file, 'utf8')).toBe('one');
    const below = join(file, 'gate.md');
    expect(() => checkWritable(below, 'the verdict')).toThrow(`cannot write the verdict to ${below}`);
    expect(() => writeText(file, 'two', 'the sheet', 'wx')).toThrow(`cannot write the sheet to ${file}`);
    expect(() => checkWritable('/dev/null/a/b/gate.md', 'the verdict')).toThrow('cannot write the verdict');
    rmSync(folder, { recursive: true });
  });

  it('escape names, and call what is undecided an error', () => {
    const result: GateResult = {
      ...question,
      candidate: '<p1> & | co',
      verdict: 'undecided',
      end: 'budget',
      looks: [],
      bought: 0,
      billed: 0,
      unknown: 0,
    };
    const xml = gateJunit(result, { labels: undefined }, 1.5);
    expect(xml).toContain('errors="1"');
    expect(xml).toContain('&lt;p1&gt; &amp; | co');
    expect(xml).not.toContain('<p1>');
    expect(gateMarkdown(result, { labels: undefined })).toContain(
      '## ❔ UNDECIDED: &lt;p1&gt; &amp; \\| co against p0',
    );
    expect(gateJunit({ ...result, verdict: 'pass', end: 'decided' }, { labels: undefined }, 1)).not.toMatch(
      /<failure|<error/,
    );
  });
});
