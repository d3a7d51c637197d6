/** pipeline.yaml → the graph that the engine builds. Every mistake is found before anything is run, and all at once. */

import { dirname, resolve } from 'node:path';
import type { Graph, GraphNode, SpendingLimits } from '../core/graph.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import type { Kind } from '../core/kind.ts';
import type { ReadModelFile } from '../core/local-engine.ts';
import type { KnownPrice } from '../core/prices.ts';
import { ProblemError } from '../core/problem.ts';
import type { ServedModel } from '../core/served-model.ts';
import { Files } from './files.ts';
import { type Connected, Connector } from './inputs.ts';
import { interpolate, type Scope } from './interpolate.ts';
import { reportIssues } from './issues.ts';
import { ModelTable } from './models.ts';
import { topological } from './order.ts';
import { Problems, suggest } from './problems.ts';
import { type Market, NO_PRICES, NOTHING_PRICED, readMarket } from './provider-file.ts';
import { Resolver } from './resolve.ts';
import { budgetFile, pipelineFile, tolerateFile } from './schema.ts';
import { placeOf, type Source } from './source.ts';
import { type Draft, expandStages, mayBeBroken } from './stages.ts';
import { matchTarget } from './targets.ts';
import { entriesOf, entry, member, plain, type Tree, textOf } from './tree.ts';
import { type Assignments, Variables } from './variables.ts';
import { checkWiring, type PlacedNode } from './wiring.ts';

interface LoadOptions {
  /** The pipeline's file, relative to `cwd` or absolute. */
  readonly file: string;
  readonly cwd: string;
  /** Absent: the pipeline's `default_profile:`, else its first profile. */
  readonly profile?: string | undefined;
  /** `--set name=value`; the value is YAML. */
  readonly set?: Assignments;
  readonly kinds: ReadonlyMap<string, Kind>;
  /** What a simulator with these options is called in keys. */
  readonly simulatorIdentity: (options: JsonObject) => string;
  /** The chat templates that a provider file may name; unchecked when absent. */
  readonly templates?: readonly string[];
  /** Reads a model's file; absent where nobody runs models on this machine. */
  readonly modelFile?: ReadModelFile;
  /** Asked for prices that the experiment's own table does not name. */
  readonly knownPrice?: KnownPrice;
}

/** The profile's name in a pipeline that declares none. */
const NO_PROFILE = 'none';

/** @throws ProblemError with every mistake: exit 2. */
export function loadPipeline(options: LoadOptions): Graph {
  const path = resolve(options.cwd, options.file);
  const problems = new Problems();
  const files = new Files(options.cwd, dirname(path), problems);
  const tree = readPipeline(path, files, problems, options);

  const checked = pipelineFile.safeParse(plain(tree));
  if (!checked.success) reportIssues(checked.error, { tree, schema: pipelineFile, what: 'key' }, problems);

  const profile = chooseProfile(tree, options.profile, problems);
  const variables = readVariables(tree, profile, options.set ?? {}, problems);
  const market = readProfileMarket(tree, profile, files, problems, options);
  const models = new ModelTable(profile, market.file, market.found?.models);

  const expansion = expandStages(member(tree, 'stages'), options.kinds, variables, problems);
  const connector = new Connector(expansion, problems);
  const resolver = new Resolver(files, models, market.found, problems);
  const served = market.found?.served ?? [];
  const parts = { connector, resolver, problems, served };
  const nodes = topological(
    expansion.drafts.map((draft) => finishNode(draft, parts)),
    problems,
  );
  checkWiring(
    nodes.map(({ placed, name, inputs, params }) => ({ ...placed, name, inputs, params })),
    problems,
  );
  const graphNodes = new Map(
    nodes.map(({ placed: _, ...node }) => [node.name, { ...node, inputs: bare(node.inputs) }]),
  );
  const defaultTargets = readDefault(tree, graphNodes, variables, problems, expansion.broken);
  const budget = readBudget(tree, variables, problems);
  const vars = Object.fromEntries(variables.names().map((name) => [name, plain(variables.lookUp(name)!)]));

  problems.throwAny();
  if (!checked.success) throw new Error('Internal error: the pipeline was rejected without a message');
  const { reference, lane } = (profile === undefined ? undefined : checked.data.profiles?.[profile]) ?? {};
  const modelLanes = market.found?.lanes ?? [];
  return {
    name: checked.data.name,
    nodes: graphNodes,
    defaultTargets,
    profile: profile ?? NO_PROFILE,
    profiles: Object.keys(checked.data.profiles ?? {}),
    ...(reference === undefined ? {} : { reference }),
    vars,
    providers: market.found?.providers ?? [],
    aliases: new Map([...(market.found?.models ?? [])].flatMap(([alias, model]) => (model ? [[alias, model]] : []))),
    ...(served.length === 0 ? {} : { served }),
    ...(lane === undefined ? {} : { lane }),
    ...(modelLanes.length === 0 ? {} : { modelLanes }),
    prices: market.found?.prices ?? NO_PRICES,
    ...(market.found?.unpriced ? { unpriced: true as const } : {}),
    budget,
    consulted: files.consulted(),
    writtenPaths: resolver.writtenPaths,
    root: files.root,
  };
}

function readPipeline(path: string, files: Files, problems: Problems, options: LoadOptions): Tree {
  const reading = files.read(path);
  if (!reading.ok) {
    // What is there and cannot be read is no reason to begin another experiment.
    const isAbsent = !files.exists(path);
    throw new ProblemError({
      id: 'CJE-NO-PIPELINE',
      headline: isAbsent
        ? `There is no pipeline: '${options.file}' ${reading.reason}`
        : `The pipeline cannot be read: '${options.file}' ${reading.reason}`,
      facts: [['looked for', path]],
      ...(reading.line === undefined ? {} : { place: { file: files.shown(path), line: reading.line } }),
      ...(isAbsent
        ? { hint: 'Run `cje init` for a new experiment, or name the file with --file.' }
        : reading.line === undefined
          ? { hint: 'Name the file with --file.' }
          : {}),
    });
  }
  const tree = files.yaml(path, reading.source, true);
  problems.throwAny();
  if (tree === undefined) throw new Error('Internal error: YAML without a tree or a mistake');
  return tree;
}

function chooseProfile(tree: Tree, asked: string | undefined, problems: Problems): string | undefined {
  const names = entriesOf(member(tree, 'profiles')).map(([name]) => name);
  const written = member(tree, 'default_profile');
  const chosen = asked ?? textOf(written) ?? names[0];
  if (chosen === undefined || names.includes(chosen)) return chosen;
  const source: Source = { kind: 'argument', name: '--profile', text: chosen };
  const span = asked === undefined ? written!.span : { source, start: 0, end: chosen.length };
  problems.add(span, 'CJE-UNKNOWN-PROFILE', `There is no profile '${chosen}'`, {
    hint: suggest(chosen, names, 'profile'),
  });
  return undefined;
}

function readVariables(tree: Tree, profile: string | undefined, set: Assignments, problems: Problems): Variables {
  const variables = new Variables(member(tree, 'vars'), problems);
  for (const [name, { value }] of entriesOf(member(tree, 'profiles'))) {
    variables.override(member(value, 'vars'), name, name === profile);
  }
  variables.assign(set);
  // A mistake in a variable is one even where nothing refers to it.
  for (const name of variables.names()) variables.lookUp(name);
  return variables;
}

function readProfileMarket(
  tree: Tree,
  profile: string | undefined,
  files: Files,
  problems: Problems,
  options: LoadOptions,
): { readonly file: string | undefined; readonly found: Market | undefined } {
  const nothing: Market = { providers: [], models: new Map(), served: [], lanes: [], ...NOTHING_PRICED };
  // An unknown profile is reported; the aliases of its models cannot be judged.
  if (profile === undefined) {
    const declared = entriesOf(member(tree, 'profiles')).length > 0;
    return { file: undefined, found: declared ? undefined : nothing };
  }
  const written = member(member(member(tree, 'profiles'), profile), 'providers');
  if (written === undefined) return { file: undefined, found: nothing };
  const found = readMarket(written, files, problems, [['profile', profile]], options);
  return { file: textOf(written), found };
}

interface FinishedNode extends Omit<GraphNode, 'inputs'> {
  readonly inputs: Readonly<Record<string, Connected>>;
  readonly placed: Pick<PlacedNode, 'kind' | 'resolved' | 'key' | 'facts'>;
}

interface Parts {
  readonly connector: Connector;
  readonly resolver: Resolver;
  readonly problems: Problems;
  readonly served: readonly ServedModel[];
}

function finishNode(draft: Draft, { connector, resolver, problems, served }: Parts): FinishedNode {
  const { stage } = draft;
  const { resolved, ...read } = readParams(draft, resolver, problems);
  return {
    name: draft.name,
    stage: stage.name,
    kind: stage.kind?.name ?? '',
    ...read,
    placed: { kind: stage.kind, resolved, key: stage.key, facts: draft.facts },
    inputs: connector.connect(draft),
    tolerate: readTolerate(draft, problems),
    ...readLane(stage.tree),
    ...(served.length === 0 || stage.kind?.shape !== 'calls' ? {} : { served }),
    place: placeOf(stage.key),
  };
}

function readParams(
  draft: Draft,
  resolver: Resolver,
  problems: Problems,
): Pick<GraphNode, 'params' | 'files'> & { readonly resolved: Tree | undefined } {
  const { stage, scope, facts } = draft;
  const written = entry(stage.tree, 'params');
  // `params:` without a value, or none at all, gives no parameters: those that are missing are reported under the stage.
  const empty: Tree = { type: 'map', entries: new Map(), span: written?.key ?? stage.key };
  const tree =
    written === undefined || (written.value.type === 'scalar' && written.value.value === null)
      ? empty
      : interpolate(written.value, scope, problems);
  // What is no mapping is told with the shape of the file.
  const shapeless = written !== undefined && tree !== empty && written.value.type !== 'map';
  if (stage.kind === undefined || shapeless) return { params: {}, resolved: undefined };
  const before = problems.count;
  const resolved = resolver.resolve(tree, stage.kind.params, facts);
  const parsed = stage.kind.params.safeParse(plain(resolved) ?? {});
  if (!parsed.success) {
    reportIssues(parsed.error, { tree: resolved, schema: stage.kind.params, what: 'parameter', facts }, problems);
    if (problems.count === 0) throw new Error(`Internal error: ${draft.name} was rejected without a message`);
    return { params: {}, resolved: undefined };
  }
  if (!isJsonObject(parsed.data)) {
    if (problems.count > before) return { params: {}, resolved: undefined };
    throw new Error(`Internal error: the parameters of kind ${stage.kind.name} are no mapping`);
  }
  return {
    params: parsed.data as JsonObject,
    files: filesOf(resolved, stage.tree.span.source.name),
    // What stands in for a model that is not known says nothing about the node.
    resolved: problems.count > before ? undefined : resolved,
  };
}

/** Where each scalar was written, by its path in the parameters; what pipeline.yaml itself holds is left out. */
function filesOf(tree: Tree, pipeline: string, path = '', files: Record<string, string> = {}): Record<string, string> {
  const below = (name: string | number) => (path === '' ? String(name) : `${path}.${name}`);
  if (tree.type === 'map') for (const [key, { value }] of tree.entries) filesOf(value, pipeline, below(key), files);
  else if (tree.type === 'list')
    for (const [index, item] of tree.items.entries()) filesOf(item, pipeline, below(index), files);
  else if (tree.type === 'scalar') {
    const { source } = tree.span;
    if (source.kind === 'file' && source.name !== pipeline) files[path] = source.name;
  }
  return files;
}

function readTolerate({ stage, scope, facts }: Draft, problems: Problems): number {
  const written = member(stage.tree, 'tolerate');
  if (written === undefined) return 0;
  const tree = interpolate(written, scope, problems);
  // Anything but a scalar is reported with the shape of the file, or with the variable that it comes from.
  if (tree.type !== 'scalar' && tree.from === undefined) return 0;
  const parsed = tolerateFile.safeParse(plain(tree));
  if (parsed.success) return parsed.data;
  problems.add(tree.span, 'CJE-BAD-VALUE', "'tolerate' must be a share between 0 and 1", { facts });
  return 0;
}

/** What is no lane is reported with the shape of the file. */
function readLane(stage: Tree): Pick<GraphNode, 'lane'> {
  const lane = textOf(member(stage, 'lane'));
  return lane === 'online' || lane === 'batch' ? { lane } : {};
}

/** The graph's inputs, without the places that only messages need. */
function bare(inputs: Readonly<Record<string, Connected>>): GraphNode['inputs'] {
  return Object.fromEntries(Object.entries(inputs).map(([name, { arity, nodes }]) => [name, { arity, nodes }]));
}

/** The nodes that `default:` means; those on which no other stands, when there is none. */
function readDefault(
  tree: Tree,
  nodes: ReadonlyMap<string, GraphNode>,
  scope: Scope,
  problems: Problems,
  broken: ReadonlySet<string>,
): readonly string[] {
  const written = member(tree, 'default');
  if (written === undefined) {
    const read = new Set(
      [...nodes.values()].flatMap((node) =>
        Object.values(node.inputs).flatMap((input) => input.nodes.map((n) => n.node)),
      ),
    );
    return [...nodes.keys()].filter((name) => !read.has(name));
  }
  const value = interpolate(written, scope, problems);
  const selected = new Set<string>();
  for (const pattern of value.type === 'list' ? value.items : [value]) {
    const text = textOf(pattern);
    const matched = text === undefined ? [] : matchTarget({ nodes }, text);
    for (const name of matched) selected.add(name);
    if (text === undefined || matched.length > 0 || mayBeBroken(text, broken)) continue;
    const stages = [...nodes.values()].map((node) => node.stage);
    problems.add(pattern.span, 'CJE-UNKNOWN-NODE', `The default target '${text}' matches no node`, {
      hint: suggest(text, new Set([...stages, ...nodes.keys()]), 'node'),
    });
  }
  return [...nodes.keys()].filter((name) => selected.has(name));
}

function readBudget(tree: Tree, scope: Scope, problems: Problems): SpendingLimits {
  const written = member(tree, 'budget');
  if (written === undefined || written.type !== 'map') return { confirmAbove: budgetFile.parse({}).confirm_above };
  const value = interpolate(written, scope, problems);
  const parsed = budgetFile.safeParse(plain(value));
  if (!parsed.success) {
    reportIssues(parsed.error, { tree: value, schema: budgetFile, what: 'key' }, problems);
    return { confirmAbove: 0 };
  }
  const { confirm_above: confirmAbove, max_cost: maxCost, max_calls: maxCalls } = parsed.data;
  return {
    confirmAbove,
    ...(maxCost == null ? {} : { maxCost }),
    ...(maxCalls == null ? {} : { maxCalls }),
  };
}
