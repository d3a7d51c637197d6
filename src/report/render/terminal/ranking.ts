/** The ranked policies, a line each: rank, name, estimate, interval, and the truth where it is known. */

import { plainLine } from '../../../text/escape.ts';
import { decimal, interval } from '../../../text/numbers.ts';
import type { Paint } from '../../../text/paint.ts';
import { columnsOf, padEnd, padStart } from '../../../text/width.ts';
import { clipMiddle } from '../../../text/wrap.ts';
import type { Ranking } from '../../model/ranking.ts';
import { TEMPERED_MARK } from '../../model/words.ts';

/** Names are cut in the middle where a line would be longer than `width`. */
export function rankedLines(ranking: Ranking, width: number, paint: Paint): string[] {
  const intervals = ranking.ranked.map(({ row }) => interval(row.lower, row.upper));
  const estimates = ranking.ranked.map(({ row }) => decimal(row.estimate));
  const intervalWidth = Math.max(0, ...intervals.map(columnsOf));
  const estimateWidth = Math.max(0, ...estimates.map(columnsOf));
  const longestName = Math.max(0, ...ranking.ranked.map(({ row }) => columnsOf(plainLine(row.policy))));
  const room = width - RANK_WIDTH - (estimateWidth + 4) - intervalWidth;
  // In a narrow terminal the truth stands in the table below alone.
  const truthFits = room - TRUTH_WIDTH >= Math.min(longestName, 12);
  const nameWidth = Math.max(4, Math.min(longestName, truthFits ? room - TRUTH_WIDTH : room));
  return ranking.ranked.map(({ rank, row, truth }, index) => {
    const number = padStart(estimates[index]!, estimateWidth) + (row.tempered ? TEMPERED_MARK : ' ');
    const rest = truth === null || !truthFits ? '' : paint('green', `  truth ${decimal(truth)}`);
    const name = padEnd(clipMiddle(plainLine(row.policy), nameWidth), nameWidth);
    // Scores that rank nothing are in order, and have no rank.
    const line = `${padStart(rank === null ? '·' : String(rank), 3)}  ${name}  ${paint('bold', number)} ${padEnd(intervals[index]!, intervalWidth)}`;
    return `${line}${rest}`.trimEnd();
  });
}

/** `  1  ` before the name, and `  truth 0.612` after the interval. */
const RANK_WIDTH = 5;
const TRUTH_WIDTH = 13;
