/** A small study in a real store: two policies, two judges, an oracle; every text of it may be made hostile. */

import { canonicalJson, type Json, type JsonObject } from '../../src/core/json.ts';
import type { Action, OutputRef } from '../../src/core/storage.ts';
import type { Summary } from '../../src/core/summary.ts';
import { protocolAt } from '../../src/protocols/index.ts';
import type { LocalStore } from '../../src/store/store.ts';
import { type BuildSource, NOW } from '../../src/viewer/model/build-source.ts';
import type { OpenBuild } from '../../src/viewer/model/open-build.ts';
import { openBuild } from '../../src/viewer/model/open-build.ts';
import type { OpenNode } from '../../src/viewer/model/open-node.ts';
import { RowTables } from '../../src/viewer/model/row-tables.ts';
import { kindsWith } from '../helpers/kinds.ts';

const KINDS = kindsWith();

export const PROMPTS = 120;

export interface StudyText {
  /** Put behind every text that a person, a file or a model wrote. */
  readonly poison: string;
  /** False: the ids of prompts are spared. */
  readonly ids?: boolean;
}

/** The log ratio of a prompt under `pi`, chosen so that the largest is neither first nor last. */
export const logRatioOf = (index: number): number => ((index * 37) % PROMPTS) / 10 - 6;

export async function studyBuild(
  store: LocalStore,
  { poison, ids: named = true }: StudyText = { poison: '' },
): Promise<OpenBuild> {
  const ids = Array.from({ length: PROMPTS }, (_, index) => `p${index}${named ? poison : ''}`);
  const prompts = ids.map((prompt_id, index) => ({ prompt_id, prompt: `What is ${index}?${poison}` }));
  const response = (policy: string) =>
    ids.map((prompt_id, index) => {
      const refused = policy === 'pi' && index === 7;
      return {
        prompt_id,
        prompt: prompts[index]!.prompt,
        status: refused ? 'refused' : 'ok',
        response: refused ? null : `${policy} says\n${index}${poison}`,
        model: `model${poison}`,
        finish_reason: 'stop',
        temperature: 1,
        top_p: 1,
        usage: { input: 3, output: 4 },
        ...(policy === 'pi' ? { thoughts: `Let me see${poison}` } : {}),
      };
    });
  const score = (policy: string, judge: string) =>
    ids.map((prompt_id, index) => ({
      prompt_id,
      status: policy === 'pi' && index === 7 ? 'no_response' : 'ok',
      score: policy === 'pi' && index === 7 ? null : ((index * 13 + (judge === 'second' ? 5 : 0)) % 100) / 100,
      variance: judge === 'second' ? 0.01 : 0,
      model: `model${poison}`,
      ...(judge === 'second' ? { rationale: `It is thin${poison}` } : {}),
    }));
  const logprob = (policy: string) =>
    ids.map((prompt_id, index) => ({
      prompt_id,
      status: 'ok',
      logprob: -40 + (policy === 'pi' ? logRatioOf(index) : 0),
      tokens: 12,
      model: `model${poison}`,
    }));
  const labels = ids
    .filter((_, index) => index % 10 === 0)
    .map((prompt_id, index) => ({
      policy: 'p0',
      prompt_id,
      split: 'calibration',
      status: 'ok',
      label: index === 5 ? 1 : 0.5,
    }));
  const quality = (scorer: string) => ({
    scorer,
    calibration: {
      mode: 'isotonic',
      curve: [
        [0, 0.4],
        [1, 0.6],
      ],
      points: [],
      rmse: 0,
    },
  });

  const node = nodeMaker(store);
  const nodes = [
    await node('prompts', 'prompts', { rows: prompts }),
    await node('responses/p0', 'responses', { rows: response('p0'), asks: true, inputs: [['prompts', '', 'prompts']] }),
    await node('responses/pi', 'responses', { rows: response('pi'), asks: true, inputs: [['prompts', '', 'prompts']] }),
    await node('logprobs/p0', 'logprobs', {
      rows: logprob('p0'),
      asks: true,
      inputs: [['responses', '', 'responses/p0']],
    }),
    await node('logprobs/pi', 'logprobs', {
      rows: logprob('pi'),
      asks: true,
      inputs: [['responses', '', 'responses/p0']],
    }),
    ...(await Promise.all(
      ['first', 'second'].flatMap((judge) =>
        ['p0', 'pi'].map((policy) =>
          node(`scores/${judge}/${policy}`, 'scores', {
            rows: score(policy, judge),
            asks: true,
            inputs: [['responses', '', `responses/${policy}`]],
          }),
        ),
      ),
    )),
    await node('oracle', 'oracle', { rows: labels, asks: true, inputs: [['responses', 'p0', 'responses/p0']] }),
    await node('dataset/first', 'dataset', {
      rows: [],
      params: { scorer: 'first', logger: 'p0' },
      files: { 'quality.json': canonicalJson(quality('first')) },
    }),
    await node('estimates/first/ips', 'estimate', {
      rows: [
        {
          policy: 'pi',
          ablation: 'ips',
          scorer: 'first',
          status: 'refused',
          gate: 'ess',
          reason: `too few${poison}`,
          n: 120,
        },
      ],
      note: `too few${poison}`,
      state: 'refused',
    }),
  ];
  return openStudy(store, nodes);
}

export const openStudy = (store: LocalStore, nodes: readonly OpenNode[]): OpenBuild =>
  openBuild(NOW, undefined, nodes, new RowTables(store.blobs), { kinds: KINDS, store, protocols: protocolAt });

interface NodeParts {
  readonly rows: readonly Json[];
  readonly asks?: boolean;
  readonly params?: JsonObject;
  readonly files?: Readonly<Record<string, string>>;
  readonly inputs?: readonly (readonly [input: string, label: string, node: string])[];
  readonly note?: string;
  readonly state?: OpenNode['state'];
}

export function nodeMaker(store: LocalStore) {
  return async (name: string, kind: string, parts: NodeParts): Promise<OpenNode> => {
    const outputs: Record<string, OutputRef> = {
      'rows.jsonl': await store.blobs.put(parts.rows.map((row) => `${canonicalJson(row)}\n`).join('')),
    };
    for (const [file, text] of Object.entries(parts.files ?? {})) outputs[file] = await store.blobs.put(text);
    const statuses: Record<string, number> = {};
    for (const row of parts.rows as readonly JsonObject[]) {
      const status = String(row.status ?? 'ok');
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
    const summary: Summary = { items: parts.rows.length, statuses, calls: [] };
    return {
      name,
      stage: name.split('/')[0]!,
      kind,
      definition: KINDS.get(kind)?.kind,
      state: parts.state ?? 'done',
      note: parts.note ?? '',
      action: { key: `key of ${name}`, kind, outputs, summary, parts: {}, finishedAt: 0 } as Action,
      summary,
      outputs,
      params: parts.params ?? {},
      inputs: (parts.inputs ?? []).map(([input, label, upstream]) => ({ input, label, node: upstream })),
      asks: parts.asks ?? false,
      bought: null,
      billed: null,
      reproduce: null,
      upstream: () => undefined,
    };
  };
}

/** A source that has this one run and no builds. */
export function sourceOf(run: OpenBuild, more: Partial<BuildSource> = {}): BuildSource {
  return {
    experiment: 'study',
    refresh: async () => {},
    builds: () => [],
    resolve: (name) => (name === NOW || name === 'newest' ? NOW : undefined),
    start: () => NOW,
    open: async () => run,
    building: () => undefined,
    progress: () => undefined,
    problem: () => undefined,
    batches: () => [],
    compare: () => Promise.reject(new Error('no builds')),
    ...more,
  };
}
