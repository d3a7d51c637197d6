/** Changed parts of a key in the words of pipeline.yaml. */

import { isJsonObject, type Json } from '../core/json.ts';
import { changedParts, type KeyParts, type PartChange } from './keys.ts';

/** The parts that differ, but for inputs: what was edited at the node itself. */
export function ownChanges(before: KeyParts, after: KeyParts): PartChange[] {
  return changedParts({ ...before, inputs: {} }, { ...after, inputs: {} });
}

/** Texts that are told to a model: people call them prompts. */
const PROMPTS: ReadonlySet<string> = new Set(['template', 'prompt']);

/** A part as people call it: `judge prompt`, `policy temperature`, `judge model`, `input scores`, `code`. */
export function partName(path: readonly string[], kind: string): string {
  const [part, ...rest] = path;
  switch (part) {
    case 'params':
      return paramName(rest);
    case 'inputs':
      return `input ${rest[0] ?? ''}`;
    case 'sources':
      return rest[0] === undefined ? 'source file' : rest[0] === 'file' ? 'content of the file' : `${rest[0]} file`;
    case 'code':
      return `code of kind \`${kind}\``;
    default:
      return part === 'protocol' ? 'meaning of keys' : (part ?? 'key');
  }
}

function paramName(path: readonly string[]): string {
  // A model is one thing to a user, however many fields it resolves to.
  const model = path.indexOf('model');
  if (model !== -1 && model < path.length - 1) return path.slice(0, model + 1).join(' ');
  return path.map((name, index) => (index === path.length - 1 && PROMPTS.has(name) ? 'prompt' : name)).join(' ');
}

/** Names the parts that changed; at most three of them. */
export function describeChanges(changes: readonly PartChange[], kind: string): string {
  const names = [...new Set(changes.map(({ path }) => partName(path, kind)))];
  return names.length <= 3 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`;
}

/** A part's value on one line. */
export function valueText(value: Json | undefined): string {
  if (value === undefined) return 'absent';
  if (typeof value === 'string') return value;
  if (isJsonObject(value) || Array.isArray(value)) return JSON.stringify(value);
  return String(value);
}
