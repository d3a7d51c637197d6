/** What is odd about the replies of a node, in words: that another model answered, or tokens that were counted wrong. */

import { servedText } from '../../core/served-model.ts';
import type { CallTally } from '../../core/summary.ts';
import { usageText } from '../../core/usage.ts';
import type { ReportData } from './data.ts';

interface NodeLine {
  readonly node: string;
  /** Such as `20 of 40 replies say cheap-mini-q4, asked h-scout`. */
  readonly text: string;
}

/** Which model answered, where it is not the one that was asked alone. */
export const servedLines = (data: ReportData): NodeLine[] => linesOf(data, servedText);

/** Replies whose usage is no count of their tokens. */
export const usageLines = (data: ReportData): NodeLine[] => linesOf(data, usageText);

const linesOf = ({ costs }: ReportData, textOf: (tally: CallTally) => string | undefined): NodeLine[] =>
  costs.flatMap(({ node, tally }) => {
    const text = textOf(tally);
    return text === undefined ? [] : [{ node, text }];
  });

/** The models that were asked, in the order of the nodes. */
export const askedModels = ({ costs }: ReportData): string[] => [...new Set(costs.map(({ tally }) => tally.model))];
