/** The headline: who leads, by which estimator, how sure that is, and who is missing. */

import { assumptionOf } from '../assumptions.ts';
import type { ReportData } from '../data.ts';
import { headlineOf } from '../headline.ts';
import { heading, only, type Prose, prose, type Section, sectionOf, tableBlock } from '../section.ts';
import { differencesTable, rankingTable } from '../tables/ranking.ts';
import {
  isTempered,
  leadingLine,
  orderLine,
  pairLine,
  rankedOf,
  rankingLine,
  scoredLine,
  separationLine,
  simultaneousNote,
  TEMPERED_MARK,
  TEMPERED_NOTE,
  truthLine,
} from '../words.ts';

export function rankingSection(data: ReportData): Section | undefined {
  const headline = headlineOf(data);
  const title = ['ranking', 'Ranking', 'Ranking'] as const;
  if (headline === undefined) return sectionOf(...title, [prose('No estimates.')]);
  const { ranking, pair, insteadOf, unknown, unranked } = headline;
  const { ablation, scorer, ranked, refused } = ranking;
  const known = ranked.some(({ truth }) => truth !== null);
  const some = rankedOf(ranking);
  const sentences = [
    some === '' ? '' : `These are ${some}.`,
    pair === undefined ? '' : ranking.judgeAlone ? scoredLine(pair) : pairLine(pair),
    unknown ?? '',
    // Of two policies the pair says it all.
    ranked.length > 2 || pair === undefined ? separationLine(ranking) : '',
    orderLine(ranking),
    truthLine(data),
  ].filter((line) => line !== '');
  const warning = assumptionOf(data, ranking, pair)?.warning;
  const differences = ranking.judgeAlone ? undefined : differencesTable(ranking, data);
  return sectionOf(...title, [
    isTempered(data) &&
      only('html', { type: 'prose', as: 'note', prose: [{ strong: TEMPERED_MARK }, ` ${TEMPERED_NOTE}`] }),
    ranked.length > 0 && !ranking.judgeAlone && { type: 'prose', as: 'lead', prose: rankingLine(ranking) },
    prose(
      ranking.judgeAlone ? 'Scored by ' : 'Ranked by ',
      { strong: ablation },
      ` with the ${scorer} scorer. ${leadingLine(ranking, data)}`,
      insteadOf === undefined ? '' : ` It leads because ${insteadOf}; see the refusals.`,
    ),
    ranked.length + refused.length > 0 && {
      type: 'figure',
      in: ['html'],
      figure: {
        caption: [
          'Policies by ',
          { strong: ablation },
          `, ${scorer} scorer: estimate and 95 % interval${known ? '; the upright tick is the truth' : ''}.`,
        ],
        chart: { type: 'ranking', ranking },
      },
    },
    tableBlock(rankingTable(ranking)),
    { type: 'list', items: unranked.map(({ policy, why }): Prose => [{ strong: policy }, ` is not ranked: ${why}.`]) },
    sentences.length > 0 && { type: 'prose', as: 'note', prose: [sentences.join(' ')] },
    warning !== undefined && { type: 'prose', as: 'note', prose: [{ strong: 'Warning' }, `: ${warning}.`] },
    differences !== undefined && only('markdown', heading('Differences')),
    differences !== undefined && only('markdown', prose(`Paired by prompt. ${simultaneousNote(data)}`)),
    differences !== undefined && tableBlock(differences),
  ]);
}
