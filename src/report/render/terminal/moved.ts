/** What moved since the build before, in a sentence. */

import { counted } from '../../../text/plural.ts';
import type { EstimateChange } from '../../model/difference.ts';
import { preciseSigned } from '../../model/number-text.ts';

/** @param total estimates of the later build */
export function movedSummary(changes: readonly EstimateChange[], total: number): string {
  const moved = changes.filter((change) => change.type === 'moved' && change.delta !== 0);
  const parts = [`${moved.length} of ${counted(total, 'estimate')} moved`];
  const largest = moved.reduce<EstimateChange | undefined>(
    (best, change) => (best === undefined || deltaOf(change) > deltaOf(best) ? change : best),
    undefined,
  );
  if (largest?.type === 'moved') {
    parts.push(
      `furthest ${largest.ablation} of ${largest.policy} (${largest.scorer}) by ${preciseSigned(largest.delta)}`,
    );
  }
  for (const [type, words] of OTHER_CHANGES) {
    const number = changes.filter((change) => change.type === type).length;
    if (number > 0) parts.push(`${number} ${words}`);
  }
  const widths = changes.filter((change) => change.type === 'moved' && change.delta === 0).length;
  if (widths > 0) parts.push(`${widths} changed in uncertainty only`);
  return `${parts.join('; ')}.`;
}

const OTHER_CHANGES: readonly (readonly [EstimateChange['type'], string])[] = [
  ['other-units', 'told in other units'],
  ['newly-refused', 'now refused'],
  ['newly-estimated', 'no longer refused'],
  ['refused-otherwise', 'refused by another gate'],
  ['added', 'new'],
  ['removed', 'gone'],
];

const deltaOf = (change: EstimateChange) => (change.type === 'moved' ? Math.abs(change.delta) : 0);
