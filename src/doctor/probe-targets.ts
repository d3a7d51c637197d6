/** What the pipeline asks of which model: found by driving the kinds' own generators up to their first request. */

import type { ModelRef, Request } from '../core/call.ts';
import type { Graph, GraphNode, Provider } from '../core/graph.ts';
import { canonicalJson, isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import type { CallsKind, InputSizes, RegisteredKind } from '../core/kind.ts';
import { ruleOf, type ServedModel } from '../core/served-model.ts';
import { protocolAt } from '../protocols/index.ts';
import { openaiCompletions } from '../protocols/openai-completions/completions.ts';
import { madeUpItem, type ToyItem } from './made-up.ts';

/** `completion`: a policy answers. `forcing`: a text's log probabilities. `chat`: a judge or an oracle. */
export type Role = 'completion' | 'forcing' | 'chat';

/** One way in which the pipeline asks a model. Nodes that differ only in what they say to it are one. */
export interface Use {
  readonly role: Role;
  readonly kind: CallsKind<unknown, unknown>;
  readonly params: JsonObject;
  /** Of the first of the nodes. */
  readonly inputs: GraphNode['inputs'];
  readonly nodes: readonly string[];
}

/** A model as the provider file declares it, with all that the pipeline wants of it. */
export interface ProbeTarget {
  readonly provider: Provider;
  /** Its names in the provider file. */
  readonly aliases: readonly string[];
  readonly ref: ModelRef;
  /** What the provider file says of the names under which it answers. */
  readonly served?: ServedModel;
  readonly uses: readonly Use[];
}

/** Short to answer, and short to force. */
export const PLAIN: ToyItem = { prompt: 'Reply with one word: ready', response: 'ready' };
/** For a judge: something that has a score. */
export const QUESTION: ToyItem = { prompt: 'How many minutes has an hour?', response: 'An hour has 60 minutes.' };

/** Items that an upstream node is taken to have: enough that a share of them is some. */
const ITEMS = 100;

/** The models that the graph's nodes call, in the order of the provider file's providers. */
export function targetsOf(graph: Graph, kinds: ReadonlyMap<string, RegisteredKind>): ProbeTarget[] {
  const found = new Map<string, { ref: ModelRef; uses: Map<string, { use: Use; nodes: string[] }> }>();
  for (const node of graph.nodes.values()) {
    const kind = kinds.get(node.kind)?.kind;
    if (kind?.shape !== 'calls') continue;
    for (const ref of calledModels(node, kind)) {
      const name = canonicalJson(ref);
      const target = found.get(name) ?? { ref, uses: new Map() };
      found.set(name, target);
      const params = onePass(node.params);
      // A made-up response was sampled by nobody, so it can only be forced by its text.
      const request = firstRequest(kind, withModel(params, ref, byText(ref)), node.inputs);
      if (request === undefined || request.identity !== ref.identity || modelIn(request) !== ref.model) continue;
      const role = roleOf(request);
      const like = `${role} ${likeness(request)}`;
      const known = target.uses.get(like);
      if (known !== undefined) known.nodes.push(node.name);
      else {
        const nodes = [node.name];
        target.uses.set(like, { use: { role, kind, params, inputs: node.inputs, nodes }, nodes });
      }
    }
  }
  const order: readonly Role[] = ['completion', 'forcing', 'chat'];
  return graph.providers.flatMap((provider) =>
    [...found.values()]
      .filter(({ ref }) => ref.identity === provider.identity)
      .map(({ ref, uses }) => ({
        provider,
        ref,
        aliases: aliasesOf(graph, ref),
        ...servedOf(graph, ref),
        uses: [...uses.values()].map(({ use }) => use).sort((a, b) => order.indexOf(a.role) - order.indexOf(b.role)),
      })),
  );
}

/** The models that a node will call at all: an oracle that is switched off calls none. */
function calledModels(node: GraphNode, kind: CallsKind<unknown, unknown>): ModelRef[] {
  const sizes: InputSizes = {
    one: () => ITEMS,
    many: (name) => new Map((node.inputs[name]?.nodes ?? []).map(({ label }) => [label, ITEMS])),
  };
  return kind
    .expect(node.params, sizes)
    .calls.filter(({ calls }) => calls > 0)
    .map(({ model }) => model);
}

/** A row of several passes asks the same thing several times; once is enough here. */
function onePass(params: JsonObject): JsonObject {
  const { passes, draws, judge, oracle } = params;
  const once = (file: Json | undefined) =>
    isJsonObject(file) && file.draws !== undefined ? { ...file, draws: 1 } : file;
  return {
    ...params,
    ...(passes === undefined ? {} : { passes: 1 }),
    ...(draws === undefined ? {} : { draws: 1 }),
    ...(judge === undefined ? {} : { judge: once(judge)! }),
    ...(oracle === undefined ? {} : { oracle: once(oracle)! }),
  };
}

/** What a use asks first, of a made-up item. */
export const sampleOf = ({ kind, params, inputs }: Use): Request | undefined => firstRequest(kind, params, inputs);

function firstRequest(
  kind: CallsKind<unknown, unknown>,
  params: JsonObject,
  inputs: GraphNode['inputs'],
): Request | undefined {
  const item = madeUpItem(kind, params, inputs, PLAIN);
  if (item === undefined) return undefined;
  const step = kind.row(item, params).next();
  return step.done ? undefined : step.value;
}

const modelIn = ({ path, body }: Request): string => protocolAt(path).modelOf(body);

function roleOf({ path, body }: Request): Role {
  if (protocolAt(path).echoes(body)) return 'forcing';
  return path === openaiCompletions.path ? 'completion' : 'chat';
}

/** How the pipeline has the model answer prompts, where it does: by a policy, as texts or as messages. */
export const answersOf = (uses: readonly Use[]): Use | undefined =>
  uses.find(({ role, params }) => role !== 'forcing' && isJsonObject(params.policy));

/** True for policies that speak messages, whose prompts the server writes. */
export const isOfMessages = ({ params: { policy } }: Use): boolean => isJsonObject(policy) && policy.api === 'chat';

/** A request without what is said in it. */
function likeness({ path, body }: Request): string {
  return `${path} ${canonicalJson(protocolAt(path).textsOf(body).settings)}`;
}

function servedOf({ served }: Graph, { identity, model }: ModelRef): Pick<ProbeTarget, 'served'> {
  const rule = ruleOf(served, identity, model);
  return rule === undefined ? {} : { served: rule };
}

function aliasesOf({ aliases }: Graph, ref: ModelRef): string[] {
  const wanted = canonicalJson(ref);
  const names = [...(aliases ?? [])].filter(([, declared]) => canonicalJson(declared) === wanted);
  return names.map(([alias]) => alias);
}

/** The model as it forces a text that no one sampled. */
export function byText(ref: ModelRef): ModelRef {
  const { forcing: _, ...dialect } = ref.dialect;
  return { ...ref, dialect };
}

/** The same parameters with one model spoken to in another way. */
export function withModel(params: JsonObject, from: ModelRef, to: ModelRef): JsonObject {
  const wanted = canonicalJson(from);
  const replace = (value: Json): Json => {
    if (Array.isArray(value)) return value.map((member) => replace(member as Json));
    if (!isJsonObject(value)) return value;
    if (canonicalJson(value) === wanted) return to;
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, replace(member as Json)]));
  };
  return replace(params) as JsonObject;
}
