/** The report in a terminal: the ranking, every estimate, and what moved since the last build. */

import { plainLine } from '../../../text/escape.ts';
import { type Paint, painter } from '../../../text/paint.ts';
import { truncate } from '../../../text/width.ts';
import { wrap } from '../../../text/wrap.ts';
import { assumptionOf } from '../../model/assumptions.ts';
import { cellsOf } from '../../model/cells.ts';
import type { ReportData } from '../../model/data.ts';
import { diffEstimates, type ToldEstimates } from '../../model/difference.ts';
import { headlineOf } from '../../model/headline.ts';
import { ablationsText, noticesOf, refusalsOf } from '../../model/refusals.ts';
import { changeTables } from '../../model/tables/changes.ts';
import { estimatesTable } from '../../model/tables/estimates.ts';
import {
  bestLine,
  experimentLine,
  isTempered,
  orderLine,
  rankingTitle,
  separationLine,
  TEMPERED_MARK,
  TEMPERED_NOTE,
} from '../../model/words.ts';
import { movedSummary } from './moved.ts';
import { qualityLines } from './quality.ts';
import { rankedLines } from './ranking.ts';
import { tableLines } from './table.ts';

interface TableOptions {
  /** The estimates of the build before, to say how far each moved. */
  readonly previous?: ToldEstimates;
  readonly color: boolean;
  /** Columns of the terminal; fewer than 40 are taken as 40. */
  readonly width: number;
}

/** Lines of at most `width` columns, the last ending in a newline. */
export function renderTable(data: ReportData, options: TableOptions): string {
  const width = Math.max(40, options.width);
  const paint = painter(options.color);
  const sections = [
    [paint('bold', truncate(plainLine(data.experiment), width)), ...wrap(experimentLine(data), width)],
    rankingLines(data, width, paint),
    ...cellsOf(data.estimates).scorers.map((scorer) => tableLines(estimatesTable(data, scorer), width, paint)),
    qualityLines(data, width, paint),
    noticeLines(data, width, paint),
    refusalLines(data, width, paint),
    options.previous === undefined ? [] : movedLines(options.previous, data, width, paint),
    isTempered(data) ? wrap(`${TEMPERED_MARK} ${TEMPERED_NOTE}`, width, 2).map((line) => paint('dim', line)) : [],
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n');
}

function rankingLines(data: ReportData, width: number, paint: Paint): string[] {
  const headline = headlineOf(data);
  if (headline === undefined) return ['No estimates.'];
  const { ranking, pair, unknown = '' } = headline;
  const title = `${rankingTitle(ranking)} by ${plainLine(ranking.ablation)}, ${plainLine(ranking.scorer)} scorer`;
  const lines = wrap(title, width).map((line) => paint('bold', line));
  if (ranking.insteadOf !== null) {
    lines.push(...wrap(`(${ranking.insteadOf} gave no estimate: see the refusals)`, width));
  }
  lines.push(...rankedLines(ranking, width, paint));
  for (const row of ranking.refused) {
    lines.push(...wrap(`–  ${row.policy} refused: ${row.gate}`, width, 5, 2).map((line) => paint('yellow', line)));
  }
  if (ranking.absent.length > 0) lines.push(...wrap(`–  ${ranking.absent.join(', ')}: no estimate`, width, 5, 2));
  for (const sentence of [unknown, separationLine(ranking), bestLine(ranking), orderLine(ranking)]) {
    if (sentence !== '') lines.push(...wrap(sentence, width).map((line) => paint('dim', line)));
  }
  const warning = assumptionOf(data, ranking, pair)?.warning;
  if (warning !== undefined) lines.push(...wrap(`! ${warning}`, width).map((line) => paint('yellow', line)));
  return lines;
}

function refusalLines(data: ReportData, width: number, paint: Paint): string[] {
  const refusals = refusalsOf(data.estimates);
  if (refusals.length === 0) return [];
  const { scorers } = cellsOf(data.estimates);
  const lines = [paint('bold', 'Refused')];
  for (const refusal of refusals) {
    lines.push(...wrap(`${refusal.policy} ✗ ${refusal.gate}: ${ablationsText(refusal, scorers)}`, width, 4, 2));
    const advice = `${sentence(refusal.reason)} ${sentence(refusal.collect)}`;
    lines.push(...wrap(advice, width, 4, 4).map((line) => paint('dim', line)));
  }
  return lines;
}

function noticeLines(data: ReportData, width: number, paint: Paint): string[] {
  const notices = noticesOf(data.estimates);
  if (notices.length === 0) return [];
  return [
    paint('bold', 'Warnings'),
    ...notices.flatMap(({ text, policies }) =>
      wrap(`${plainLine(text)} (${policies.map(plainLine).join(', ')})`, width, 4, 2).map((line) =>
        paint('yellow', line),
      ),
    ),
  ];
}

const sentence = (text: string) => (/[.!?…]$/.test(text) || text === '' ? text : `${text}.`);

function movedLines(before: ToldEstimates, data: ReportData, width: number, paint: Paint): string[] {
  const { changes } = diffEstimates(before, data);
  const title = paint('bold', 'Since the last build');
  if (changes.length === 0) return [`${title}: no estimate moved.`];
  return [
    title,
    ...changeTables(changes, data.policies).flatMap((table) => tableLines(table, width, paint)),
    ...wrap(movedSummary(changes, data.estimates.length), width),
  ];
}
