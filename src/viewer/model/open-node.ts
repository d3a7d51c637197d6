/** A node as one build left it, or as it stands now, with what its rows can be made from again. */

import type { JsonObject } from '../../core/json.ts';
import type { OutputRef } from '../../core/storage.ts';
import type { Upstream } from '../../engine/evaluate.ts';
import type { RunNode } from './types.ts';

export interface OpenNode extends RunNode {
  /** Undefined where what it stands on is not there. */
  readonly upstream: () => Upstream | undefined;
}

/** Such as `pi_cot` of `responses/pi_cot`: what the matrix filled in. */
export function suffixOf({ name }: Pick<RunNode, 'name'>): string {
  const at = name.indexOf('/');
  return at === -1 ? name : name.slice(at + 1);
}

export const inputNode = (node: RunNode, input: string, label = ''): string | undefined =>
  node.inputs.find((entry) => entry.input === input && entry.label === label)?.node;

export const fileOf = (node: RunNode | undefined, file: string): OutputRef | undefined => node?.outputs[file];

export const textParam = (params: JsonObject, name: string): string | undefined => {
  const value = params[name];
  return typeof value === 'string' ? value : undefined;
};
