/** What an item is called in messages, in plans and in the viewer. */

import { isJsonObject } from '../core/json.ts';

export function itemName(item: unknown, index: number): string {
  if (!isJsonObject(item) || typeof item.prompt_id !== 'string') return `#${index}`;
  return typeof item.policy === 'string' ? `${item.policy}/${item.prompt_id}` : item.prompt_id;
}
