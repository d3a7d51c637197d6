/** The nodes of a pipeline that commands on data are about: its datasets, and where its labels come from. */

import { type Graph, type GraphNode, upstreamNames } from '../core/graph.ts';
import { type RegisteredKind, writes } from '../core/kind.ts';
import { ProblemError } from '../core/problem.ts';
import { DATASET, LABELS } from './row-types.ts';

interface Pipeline {
  readonly graph: Pick<Graph, 'nodes'>;
  readonly kinds: ReadonlyMap<string, RegisteredKind>;
}

/** The nodes whose output is a dataset. */
function datasetsOf({ graph, kinds }: Pipeline): string[] {
  return [...graph.nodes.values()].flatMap(({ name, kind }) => (writes(kinds.get(kind)?.kind, DATASET) ? [name] : []));
}

/**
 * The dataset that an argument names; without one, the only one there is.
 *
 * @param nodeOf the node that an argument selects
 * @param command for the hint
 * @throws ProblemError
 */
export function chosenDataset(
  pipeline: Pipeline,
  argument: string | undefined,
  nodeOf: (argument: string) => string,
  command: string,
): string {
  const all = datasetsOf(pipeline);
  if (argument !== undefined) {
    const name = nodeOf(argument);
    if (all.includes(name)) return name;
    const kinds = [...pipeline.kinds.values()].flatMap(({ kind }) => (writes(kind, DATASET) ? [kind.name] : []));
    const upstream = upstreamNames(pipeline.graph.nodes.get(name)!).find((of) => all.includes(of));
    throw new ProblemError({
      id: 'CJE-NO-DATASET',
      headline: `${name} is no dataset`,
      hint: upstream === undefined ? `name a node of kind ${kinds.join(' or ')}` : `did you mean ${upstream}?`,
    });
  }
  const [only, ...more] = all;
  if (only !== undefined && more.length === 0) return only;
  throw new ProblemError({
    id: only === undefined ? 'CJE-NO-DATASET' : 'CJE-SEVERAL-NODES',
    headline: only === undefined ? 'the pipeline has no dataset' : 'the pipeline has several datasets',
    ...(only === undefined ? {} : { facts: [['datasets', all.join(', ')]] as const }),
    hint: `name the one that is meant, such as \`${command} ${all[0] ?? 'dataset'}\``,
  });
}

/** How commands name the dataset of a scorer; undefined where it is the only one, and needs no name. */
export function datasetOfScorer(pipeline: Pipeline, scorer: string): string | undefined {
  const all = datasetsOf(pipeline);
  if (all.length < 2) return undefined;
  return all.find((name) => pipeline.graph.nodes.get(name)!.params.scorer === scorer);
}

/** The nodes whose labels people give: tables of labels before models that label. */
export function labelNodes({ graph, kinds }: Pipeline): readonly GraphNode[] {
  const all = [...graph.nodes.values()].filter(
    ({ kind, inputs }) => writes(kinds.get(kind)?.kind, LABELS) && inputs.responses !== undefined,
  );
  const people = all.filter((node) => isOfPeople(node, kinds));
  return people.length > 0 ? people : all;
}

/** Whether people give the labels of the node, in a file. */
export const isOfPeople = ({ kind }: GraphNode, kinds: Pipeline['kinds']): boolean =>
  kinds.get(kind)?.kind.variant !== undefined;

/**
 * The node of labels that is meant.
 *
 * @param asked what arguments select; undefined for all
 * @param command for the hint, where there are several
 * @throws ProblemError
 */
export function chosenLabels(
  pipeline: Pipeline,
  asked: readonly string[] | undefined,
  command: (name: string) => string,
): string {
  const nodes = labelNodes(pipeline).map(({ name }) => name);
  const [only, ...more] = (asked ?? nodes).filter((name) => nodes.includes(name));
  if (only !== undefined && more.length === 0) return only;
  throw new ProblemError({
    id: only === undefined ? 'CJE-NO-DATASET' : 'CJE-SEVERAL-NODES',
    headline:
      only === undefined
        ? 'this pipeline has no stage of labels'
        : `labels are of ${(asked ?? nodes).length} nodes here`,
    ...(nodes.length === 0 ? {} : { facts: [['labels', nodes.join(', ')]] }),
    hint: only === undefined ? 'add a stage of kind `table` with `as: labels`' : `such as ${command(only)}`,
  });
}
