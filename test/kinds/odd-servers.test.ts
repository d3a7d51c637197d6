/** Servers that answer in ways that nobody has seen: no row is `ok` and another number than the exact one. */

import { describe, expect, it } from 'vitest';
import { ODD, ODD_GENERATION } from '../servers/odd-ways.ts';
import { forcedUnder, ref, sampledUnder } from './forced-rows.ts';

/** Harmless: what is odd about them decides nothing. By text, tokens that cannot be read cost rows. */
const HARMLESS: Readonly<Record<string, { readonly ids: number; readonly text: number }>> = {
  'Ġ pieces': { ids: 0.9, text: 0.2 },
  '▁ pieces': { ids: 0.9, text: 0.2 },
  'halves named by the wrong bytes': { ids: 0.9, text: 0.2 },
  'tokens without spaces': { ids: 0.9, text: 0 },
  'offsets in UTF-16 units': { ids: 0.99, text: 0.8 },
  'no generated values': { ids: 0.99, text: 0.8 },
  'ids of another text': { ids: 0, text: 0.8 },
  // A true value of 0 at the first half of a character is none where it was uncertain when it was generated.
  'sums over split characters': { ids: 0.4, text: 0.4 },
  'generated ids of the text made anew': { ids: 0.5, text: 0.5 },
};
/** Of either sign, and no larger than a GPU's own: passes and gates tell its size, and no row can. */
const NOISE = 'noise of 0.1 nats';

const FEW = 5;

describe.each(['ids', 'text'] as const)('by %s', (forcing) => {
  const model = ref({ forcing });
  const whole = sampledUnder(model, {}, '', FEW);
  it.each([...Object.keys(ODD), ...Object.keys(ODD_GENERATION)])('%s', (odd) => {
    const sampled = ODD[odd] === undefined ? sampledUnder(model, {}, odd, FEW) : whole;
    const { wrong, statuses, rows } = forcedUnder(model, {}, sampled, { odd });
    if (odd === NOISE) {
      for (const { check } of rows.filter(({ status }) => status === 'ok')) expect(check?.median).toBeGreaterThan(0.01);
      return;
    }
    expect(wrong).toEqual([]);
    const least = HARMLESS[odd]?.[forcing] ?? 0;
    const share = (statuses.ok ?? 0) / FEW;
    expect(share, JSON.stringify(statuses)).toBeGreaterThanOrEqual(least);
    if (HARMLESS[odd] === undefined) expect(share, JSON.stringify(statuses)).toBe(0);
  });
});
