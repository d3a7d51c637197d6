/** Requests that change, as a person reads them: the model's texts line by line, old against new. */

import type { RequestDifference, TextChange } from '../engine/requests.ts';
import { type DiffLook, unifiedDiff } from '../text/diff.ts';
import { printable } from '../text/escape.ts';
import { counted } from '../text/plural.ts';

/** Examples under a heading; those that change in the same way as one before are named, not drawn again. */
export function examplesText(examples: readonly RequestDifference[], look: DiffLook): string {
  const lines = ['', `Requests that change (${counted(examples.length, 'example')}):`];
  const drawn = new Map<string, string[]>();
  for (const { node, item, texts } of examples) {
    const name = `${node} ${printable(item)}`;
    const diff = differenceLines(texts, look);
    const alike = drawn.get(diff.join('\n'));
    if (alike === undefined) drawn.set(diff.join('\n'), [name]);
    else alike.push(name);
  }
  for (const [diff, [first, ...more]] of drawn) {
    const likewise = more.length === 0 ? '' : `, likewise ${more.join(', ')}`;
    lines.push('', `${first}${likewise}`, diff);
  }
  return `${lines.join('\n')}\n`;
}

/** A heading and a unified diff for each text that differs. */
export function differenceLines(texts: readonly TextChange[], look: DiffLook): string[] {
  const lines: string[] = [];
  for (const { name, before, after } of texts) {
    if (texts.length > 1 || name === 'settings') lines.push(`  ${printable(name)}`);
    lines.push(...unifiedDiff(before ?? '', after ?? '', look));
  }
  return lines;
}
