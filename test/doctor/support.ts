/** Servers as they have been seen to answer, for probes that are driven without one. */

import type { Dialect, ModelRef, Request } from '../../src/core/call.ts';
import type { Provider } from '../../src/core/graph.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { CallsKind } from '../../src/core/kind.ts';
import type { Check, ProbeReply } from '../../src/doctor/probe.ts';
import { type ModelFindings, probeModel } from '../../src/doctor/probe-model.ts';
import type { ProbeTarget, Role, Use } from '../../src/doctor/probe-targets.ts';
import { logprobs } from '../../src/kinds/logprobs.ts';
import { responses } from '../../src/kinds/responses.ts';
import { scores } from '../../src/kinds/scores.ts';
import { createPriceBook } from '../../src/providers/prices.ts';
import { dialect } from '../helpers/dialect.ts';

type ExamineOptions = Parameters<typeof probeModel>[1];

export const BOS = '<|begin_of_text|>';

export const PROVIDER: Provider = {
  name: 'lab',
  type: 'openai',
  identity: 'http://lab/v1',
  baseUrl: 'http://lab/v1',
  limits: { concurrency: 1, timeoutSeconds: 1, attempts: 1 },
  options: {},
  place: { file: 'providers.yaml' },
};

export const PRICES = createPriceBook({ date: '2026-01-01', models: { scout: { input: 1, output: 2 } } }, [PROVIDER]);

export function modelRef(changes: Partial<Dialect> = {}, model = 'scout'): ModelRef {
  return { identity: PROVIDER.identity, model, dialect: dialect(changes) };
}

/** A model that is used in these roles, by the shipped kinds. */
export function target(
  roles: readonly Role[],
  ref: ModelRef = modelRef(),
  { speaks }: { readonly speaks?: 'chat' } = {},
): ProbeTarget {
  const policy = {
    ...(speaks === undefined ? {} : { api: speaks }),
    model: ref,
    draw: 'p0',
    temperature: 0.5,
    top_p: 1,
    max_tokens: 32,
    prompt: '{{prompt}}',
  };
  const judge = {
    model: ref,
    temperature: 0,
    max_tokens: 64,
    template: '{{prompt}} {{response}}',
    output: 'score',
    scale: [0, 10],
    rationale: 'none',
    read: 'schema',
    draws: 1,
    attempts: 2,
  };
  const made: Record<Role, Use> = {
    completion: use('completion', responses, { policy, temperature: 'policy', draws: 1, replicate: 0 }, 'responses/p0'),
    forcing: use('forcing', logprobs, { policy, passes: 1, replicate: 0 }, 'logprobs/p0'),
    chat:
      speaks === undefined
        ? use('chat', scores, { judge, replicate: 0 }, 'scores/p0')
        : use('chat', responses, { policy, temperature: 'policy', draws: 1, replicate: 0 }, 'responses/p0'),
  };
  return { provider: PROVIDER, aliases: ['scout'], ref, uses: roles.map((role) => made[role]) };
}

function use(role: Role, kind: unknown, params: object, node: string): Use {
  const { inputs } = kind as CallsKind;
  return {
    role,
    kind: kind as CallsKind<unknown, unknown>,
    params: params as JsonObject,
    inputs: Object.fromEntries(
      Object.keys(inputs).map((name) => [name, { arity: 'one', nodes: [{ label: '', node: 'upstream' }] }]),
    ),
    nodes: [node],
  };
}

export type Server = (request: Request) => JsonObject | ProbeReply;

export const refuse = (message: string): ProbeReply => ({
  ok: false,
  failure: { class: 'permanent', reason: 'rejected', message },
});

export interface Run extends ModelFindings {
  readonly requests: readonly Request[];
  /** The checks of one name. */
  of(name: string): readonly Check[];
}

export function run(of: ProbeTarget, server: Server, options: Partial<ExamineOptions> = {}): Run {
  const probe = probeModel(of, { prices: PRICES, listing: undefined, overlong: undefined, ...options });
  const requests: Request[] = [];
  let step = probe.next();
  while (!step.done) {
    requests.push(step.value);
    const answer = server(step.value);
    step = probe.next('ok' in answer ? (answer as ProbeReply) : { ok: true, raw: answer as JsonObject });
  }
  const { value } = step;
  return { ...value, requests, of: (name) => value.checks.filter((each) => each.name === name) };
}

/** Words, with the white space before them; what a tokenizer does, as far as a boundary is concerned. */
function tokensOf(text: string, mergeNewlines: boolean): string[] {
  const parts = text.match(/<\|[a-z_]+\|>|\n+|[^\S\n]?[^\s<]+|[^\S\n]|</g) ?? [];
  return mergeNewlines ? parts : parts.flatMap((part) => (/^\n/.test(part) ? [...part] : [part]));
}

const UNLIKELY = /zlorp|9kx|wubbadoo|trinq|ffej|xzzt|uq|vq/;
const plausible = (token: string): number => (UNLIKELY.test(token) ? -14.25 : -0.25);
const idOf = (token: string): number =>
  [...token].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 99_991, 7);

export interface EchoOptions {
  /** Tokens that the server puts in front. */
  readonly front?: readonly string[];
  readonly ids?: boolean;
  readonly value?: (token: string) => number;
  /** Newlines of the template and of a response become one token, as with most tokenizers. */
  readonly mergeNewlines?: boolean;
}

/** Tokens by the ids under which they went out. */
const spelled = new Map<number, string>();

/** The reply that OpenAI's legacy completions, vLLM and Fireworks share; ids as Fireworks adds them. */
export function echo(
  { body }: Request,
  { front = [BOS], ids = false, value = plausible, mergeNewlines = false }: EchoOptions = {},
): JsonObject {
  const { prompt = '' } = body;
  const text = typeof prompt === 'string' ? prompt : '';
  const sent =
    typeof prompt === 'string'
      ? tokensOf(prompt, mergeNewlines)
      : (prompt as readonly number[]).map((id) => spelled.get(id) ?? '?');
  const generated = body.max_tokens === 1 ? ['<|eot|>'] : [];
  const tokens = [...(typeof prompt === 'string' ? front : []), ...sent, ...generated];
  for (const token of tokens) spelled.set(idOf(token), token);
  let offset = 0;
  const offsets = tokens.map((token) => {
    const at = offset;
    offset += token.length;
    return at;
  });
  return {
    id: 'cmpl-1',
    object: 'text_completion',
    created: 1_700_000_000,
    model: body.model as string,
    choices: [
      {
        index: 0,
        text: text + generated.join(''),
        finish_reason: 'length',
        logprobs: {
          tokens,
          token_logprobs: tokens.map((token, index) => (index === 0 ? null : value(token))),
          top_logprobs: null,
          text_offset: offsets,
          ...(ids ? { token_ids: tokens.map(idOf) } : {}),
        },
      },
    ],
    usage: { prompt_tokens: tokens.length - generated.length, completion_tokens: generated.length },
  };
}

export function completionReply({ body }: Request, text = 'ready'): JsonObject {
  return {
    id: 'cmpl-2',
    model: body.model as string,
    choices: [{ index: 0, text, finish_reason: 'stop', logprobs: null }],
    usage: { prompt_tokens: 12, completion_tokens: 2 },
  };
}

export function chatReply({ body }: Request, content: string | null, finish = 'stop'): JsonObject {
  return {
    id: 'chatcmpl-1',
    model: body.model as string,
    choices: [{ index: 0, message: { role: 'assistant', content, refusal: null }, finish_reason: finish }],
    usage: { prompt_tokens: 30, completion_tokens: 5 },
  };
}
