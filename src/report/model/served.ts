/** Which model answered: by node, in words, where it is not the one that was asked alone. */

import { servedText } from '../../core/served-model.ts';
import type { ReportData } from './data.ts';

interface ServedLine {
  readonly node: string;
  /** Such as `20 of 40 replies say cheap-mini-q4, asked h-scout`. */
  readonly text: string;
}

export const servedLines = (data: ReportData): ServedLine[] =>
  data.costs.flatMap(({ node, tally }) => {
    const text = servedText(tally);
    return text === undefined ? [] : [{ node, text }];
  });

/** The models that were asked, in the order of the nodes. */
export const askedModels = ({ costs }: ReportData): string[] => [...new Set(costs.map(({ tally }) => tally.model))];
