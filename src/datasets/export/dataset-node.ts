/** A dataset of a pipeline, read from what its nodes have left, in the files of cje-eval. */

import type { GraphNode } from '../../core/graph.ts';
import type { Input } from '../../core/kind.ts';
import { ProblemError } from '../../core/problem.ts';
import { FRESH, QUALITY, TEXTS } from '../dataset-rows.ts';
import type { DatasetQuality } from '../results.ts';
import { DATASET, DATASET_TEXTS, DRAWS, RESPONSES } from '../row-types.ts';
import { drawName } from '../rows.ts';
import { canNameFile, type Exported, exportCjeEval, type Texts } from './cje-eval.ts';

/** @param built what a node has left. @throws ProblemError where it is not built, or a policy cannot name a file */
export function exportNode(node: GraphNode, built: (name: string) => Input): Exported {
  const output = built(node.name);
  const quality = JSON.parse(output.text(QUALITY)) as DatasetQuality;
  const odd = [...quality.targets, ...(quality.logger === null ? [] : [quality.logger])].find(
    (name) => !canNameFile(name),
  );
  if (odd !== undefined) {
    throw new ProblemError({
      id: 'CJE-POLICY-NAME',
      headline: `the policy ${JSON.stringify(odd)} cannot be the name of a file`,
    });
  }
  const { clone } = node.params;
  return exportCjeEval({
    logged: output.rows(DATASET),
    fresh: [...output.rows(DRAWS, FRESH)].filter(({ part }) => part === undefined),
    quality,
    clone: typeof clone === 'string' ? clone : null,
    texts: textsOf(node, output, built),
  });
}

/** The prompts and responses that a dataset was joined from, or those that an import has beside its numbers. */
function textsOf(node: GraphNode, output: Input, built: (name: string) => Input): Texts {
  const prompts = new Map<string, string>();
  const responses = new Map<string, Map<string, string>>();
  for (const { label, node: upstream } of node.inputs.responses?.nodes ?? []) {
    const of = new Map<string, string>();
    responses.set(label, of);
    for (const row of built(upstream).rows(RESPONSES)) {
      prompts.set(row.prompt_id, row.prompt);
      if (row.response !== null) of.set(drawName(row.prompt_id, row.draw_index), row.response);
    }
  }
  for (const row of output.files().includes(TEXTS) ? output.rows(DATASET_TEXTS, TEXTS) : []) {
    if (row.prompt !== null) prompts.set(row.prompt_id, row.prompt);
    if (row.response === null) continue;
    const of = responses.get(row.policy) ?? new Map<string, string>();
    responses.set(row.policy, of.set(drawName(row.prompt_id, row.draw_index), row.response));
  }
  return {
    prompt: (id) => prompts.get(id),
    response: (policy, id, draw) => responses.get(policy)?.get(drawName(id, draw)),
  };
}
