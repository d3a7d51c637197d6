import type { FreshDraws, LoggedRows } from './data.ts';
import { firstFew, type Refusal, refusal } from './refusal.ts';

type Labelled = Pick<LoggedRows | FreshDraws, 'oracleLabels' | 'labelPropensities'>;

/**
 * Inverse-probability weights 1/π of labels drawn with known probabilities (Horvitz and Thompson 1952), mean one over the labelled
 * rows; null where no probability is known, and labels count alike.
 *
 * @returns one a row; NaN where there is no label.
 */
export function labelWeights({ oracleLabels, labelPropensities }: Labelled): Float64Array | null {
  if (labelPropensities === undefined) return null;
  let total = 0;
  let count = 0;
  for (let i = 0; i < oracleLabels.length; i++) {
    if (Number.isNaN(oracleLabels[i]!)) continue;
    total += 1 / labelPropensities[i]!;
    count++;
  }
  const scale = count / total;
  return oracleLabels.map((y, i) => (Number.isNaN(y) ? Number.NaN : scale / labelPropensities[i]!));
}

/** Refuses probabilities outside (0, 1], and labels without one where others have it. */
export function checkPropensities(where: string, { oracleLabels, labelPropensities }: Labelled): Refusal | null {
  if (labelPropensities === undefined) return null;
  const bad: number[] = [];
  for (let i = 0; i < oracleLabels.length; i++) {
    const π = labelPropensities[i]!;
    if (Number.isNaN(π) ? !Number.isNaN(oracleLabels[i]!) : !(π > 0 && π <= 1)) bad.push(i);
  }
  if (bad.length === 0) return null;
  return refusal(
    'bad-input',
    `label_propensity is missing for a label, or outside (0, 1], on ${bad.length} ${where}: ${firstFew(bad)}`,
    'The probability with which each response was chosen for a label, on every row, or on none.',
  );
}
