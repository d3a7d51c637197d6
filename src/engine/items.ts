/** What an item is called in messages, in plans and in the viewer: its kind says so. */

import { isJsonObject } from '../core/json.ts';
import type { ItemName, Kind } from '../core/kind.ts';

/** Empty for an item that has no name. */
export function nameOf(kind: Kind | undefined, item: unknown): ItemName {
  return isJsonObject(item) ? (kind?.item?.(item) ?? {}) : {};
}

export const itemName = (kind: Kind | undefined, item: unknown, index: number): string =>
  textOf(nameOf(kind, item), index);

/** A name as it is written: `policy/id`, `id`, or the number of the row. */
export function textOf({ id, policy }: ItemName, index: number): string {
  if (id === undefined) return `#${index}`;
  return policy === undefined ? id : `${policy}/${id}`;
}

/** True where `wanted` names the item: its id, `policy/id`, the policy that it stands for, or its number from 0. */
export function isItem(kind: Kind | undefined, item: unknown, index: number, wanted: string): boolean {
  const name = nameOf(kind, item);
  if (wanted === (name.id ?? name.policy) || wanted === textOf(name, index)) return true;
  return wanted === String(index) || wanted === `#${index}`;
}
