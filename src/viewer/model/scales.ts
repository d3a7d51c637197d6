/** The scales that people read scores and labels on: what a judge was asked for, and what labels were given on. */

import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { writes } from '../../core/kind.ts';
import { LABELS, SCORES } from '../../datasets/row-types.ts';
import { commonScale, type Scale, scaleField } from '../../datasets/scale.ts';
import type { OpenNode } from './open-node.ts';

/** What a node's own parameters say; undefined for [0, 1] and where they say nothing. */
export function paramScale({ params }: { readonly params: JsonObject }): Scale | undefined {
  return scaleIn((isJsonObject(params.judge) ? params.judge : params).scale);
}

/** The scale of the judge whose scores were imported. */
export const importedScale = ({ params }: { readonly params: JsonObject }): Scale | undefined =>
  scaleIn(params.judge_scale);

function scaleIn(scale: unknown): Scale | undefined {
  if (!Array.isArray(scale) || scale.length !== 2) return undefined;
  const [low, high] = scale;
  return typeof low === 'number' && typeof high === 'number' && low < high ? [low, high] : undefined;
}

/** Of a node of scores; a panel's is what its judges share. */
export function scoreScale(node: OpenNode, nodes: ReadonlyMap<string, OpenNode>): Scale | undefined {
  const own = paramScale(node);
  if (own !== undefined || node.asks) return own;
  const judges = node.inputs.map(({ node: name }) => nodes.get(name)).filter((each) => each !== undefined);
  const scores = judges.filter(({ definition }) => writes(definition, SCORES));
  const scales = scores.map((judge) => scoreScale(judge, nodes));
  return commonScale(scales);
}

/** On which people read the first number of a node's rows, which is on [0, 1] there; undefined where that is the same. */
export function unitScale(node: OpenNode, nodes: ReadonlyMap<string, OpenNode>): Scale | undefined {
  const { definition, params } = node;
  const { oracle } = params;
  const labels = () => paramScale(node) ?? (isJsonObject(oracle) ? scaleIn(oracle.scale) : undefined);
  const given = writes(definition, SCORES)
    ? scoreScale(node, nodes)
    : writes(definition, LABELS)
      ? labels()
      : importedScale(node);
  return scaleField(given).scale;
}
