/**
 * What an experiment asks, worked out from its files and its rows without the engine: the distinct requests of each
 * stage. What an edit must buy is what is asked after it and was not asked before.
 */

import type { Folder } from './experiment.ts';

/** Distinct requests by stage: `responses`, `logprobs`, `scores/SCORER`, `oracle`, whatever the stages are called. */
export type Requests = ReadonlyMap<string, ReadonlySet<string>>;

export interface Asked {
  readonly requests: Requests;
  /** Stage by the first part of a node's name. */
  stageOf(node: string): string;
  readonly prompts: number;
  /** The ids of the prompts. */
  readonly ids: ReadonlySet<string>;
  /** Distinct pairs of prompt and response of some policies; of all of them without an argument. */
  pairs(...policies: readonly string[]): number;
  /** `POLICY PROMPT_ID` of every labelled response. */
  readonly labels: ReadonlySet<string>;
}

interface Stage {
  readonly kind: string;
  readonly params: { readonly replicate?: number; readonly oracle?: string };
}
interface Pipeline {
  readonly vars: Readonly<Record<string, unknown>>;
  readonly profiles: Readonly<
    Record<string, { readonly providers: string; readonly vars?: Readonly<Record<string, unknown>> }>
  >;
  readonly stages: Readonly<Record<string, Stage>>;
}
interface Market {
  readonly providers: Readonly<Record<string, { readonly base_url?: string; readonly identity?: string }>>;
  readonly models: Readonly<Record<string, { readonly provider: string }>>;
}
interface Policy {
  readonly model: string;
  readonly draw: string;
  readonly temperature: number;
  readonly top_p: number;
  readonly max_tokens: number;
  readonly system?: string;
  readonly prompt: string;
}
interface Judge {
  readonly model: string;
  readonly temperature: number;
  readonly max_tokens: number;
  readonly template: string;
  readonly output: string;
}
interface Answer {
  readonly prompt_id: string;
  readonly prompt: string;
  readonly response: string;
}

/** Reads what the experiment in a folder asked, after it was built under a profile. */
export function asked(folder: Folder, profile: string): Asked {
  const pipeline = folder.yaml<Pipeline>('pipeline.yaml');
  const chosen = pipeline.profiles[profile]!;
  const vars = { ...pipeline.vars, ...chosen.vars };
  const market = folder.yaml<Market>(chosen.providers);
  const [stages, names] = stagesByKind(pipeline);
  const out = (kind: string, ...more: string[]) => `out/${[stages.get(kind)!.name, ...more].join('/')}/rows.jsonl`;
  const replicate = (kind: string) => stages.get(kind)!.params.replicate ?? 0;

  /** Who is asked and how, without the alias, the address of a provider with an identity, limits and credentials. */
  const model = (alias: string) => {
    const { provider, ...dialect } = market.models[alias]!;
    const { base_url, identity } = market.providers[provider]!;
    return { ...dialect, identity: identity ?? (base_url === undefined ? 'the simulator' : addressOf(base_url)) };
  };
  const policies = (vars.policies as string[]).map((name) => {
    const policy = folder.yaml<Policy>(`configs/policies/${name}.yaml`);
    const answers = folder.rows<Answer>(out('responses', name));
    return { name, policy, answers };
  });
  const requests = new Map<string, Set<string>>();
  const ask = (stage: string, request: unknown) => {
    const known = requests.get(stage) ?? new Set();
    requests.set(stage, known.add(JSON.stringify(request)));
  };

  const logged = policies[0]!.answers;
  for (const { policy, answers } of policies) {
    const { draw, system, prompt: template } = policy;
    const common = { model: model(policy.model), draw, system, template };
    const temperature = vars.temperature === 'policy' ? policy.temperature : vars.temperature;
    const { top_p, max_tokens } = policy;
    for (const { prompt } of answers) {
      ask('responses', { ...common, prompt, temperature, top_p, max_tokens, replicate: replicate('responses') });
    }
    for (const { prompt, response } of logged) ask('logprobs', { ...common, prompt, response });
  }

  const judging = (file: string) => {
    const { model: alias, temperature, max_tokens, template, output } = folder.yaml<Judge>(file);
    // Blanks within a placeholder are not part of what is rendered.
    const text = folder.read(template).replaceAll(/\{\{\s*(\w+)\s*\}\}/g, '{{$1}}');
    return { model: model(alias), temperature, max_tokens, text, output };
  };
  for (const scorer of vars.scorers as string[]) {
    const judge = judging(`configs/judges/${scorer}.yaml`);
    for (const { answers } of policies) {
      for (const { prompt, response } of answers) {
        ask(`scores/${scorer}`, { judge, prompt, response, replicate: replicate('scores') });
      }
    }
  }

  const labels = new Set<string>();
  const oracle = judging(stages.get('oracle')!.params.oracle!);
  for (const { policy, prompt_id } of folder.rows<{ policy: string; prompt_id: string }>(out('oracle'))) {
    labels.add(`${policy} ${prompt_id}`);
    const { prompt, response } = policies
      .find(({ name }) => name === policy)!
      .answers.find((answer) => answer.prompt_id === prompt_id)!;
    ask('oracle', { oracle, prompt, response, replicate: replicate('oracle') });
  }

  return {
    requests,
    labels,
    prompts: logged.length,
    ids: new Set(logged.map(({ prompt_id }) => prompt_id)),
    stageOf(node) {
      const [first = '', second = ''] = node.split('/');
      const kind = names.get(first) ?? first;
      return kind === 'scores' ? `scores/${second}` : kind;
    },
    pairs(...wanted) {
      const of = policies.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
      return new Set(of.flatMap(({ answers }) => answers.map(({ prompt, response }) => `${prompt}\n${response}`))).size;
    },
  };
}

/** However it is written, with or without a slash at its end. */
const addressOf = (url: string): string => new URL(url).href.replace(/\/+$/, '');

function stagesByKind({ stages }: Pipeline) {
  const entries = Object.entries(stages).map(([name, { kind, params }]) => ({ name, kind, params }));
  return [
    new Map(entries.map((entry) => [entry.kind, entry])),
    new Map(entries.map(({ name, kind }) => [name, kind])),
  ] as const;
}

/** What is asked now and was not asked before, by stage; stages that ask nothing new are left out. */
export function newRequests(before: Requests, after: Requests): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [stage, requests] of after) {
    const known = before.get(stage);
    const count = [...requests].filter((request) => known?.has(request) !== true).length;
    if (count > 0) counts.set(stage, count);
  }
  return counts;
}
