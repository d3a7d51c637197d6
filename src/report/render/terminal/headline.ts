/** What a build came to, on one screen: the ranking, the pair that matters, what is refused, and what to do next. */

import { plainLine } from '../../../text/escape.ts';
import { count } from '../../../text/numbers.ts';
import { type Paint, painter } from '../../../text/paint.ts';
import { counted } from '../../../text/plural.ts';
import { columnsOf, padEnd, truncate } from '../../../text/width.ts';
import { clipMiddle, wrap } from '../../../text/wrap.ts';
import { assumptionOf } from '../../model/assumptions.ts';
import type { ReportData } from '../../model/data.ts';
import { diffEstimates } from '../../model/difference.ts';
import { type Headline, headlineOf } from '../../model/headline.ts';
import { turnedRanking } from '../../model/ranking.ts';
import { otherWarnings, warningLines } from '../../model/refusals.ts';
import {
  bestLine,
  experimentLine,
  isTempered,
  orderLine,
  pairLine,
  rankedOf,
  rankingTitle,
  scoredLine,
} from '../../model/words.ts';
import { movedSummary } from './moved.ts';
import { rankedLines } from './ranking.ts';

interface HeadlineOptions {
  /** What the build before came to, to say whether an estimate moved or the order turned. */
  readonly previous?: ReportData;
  readonly color: boolean;
  /** Columns of the terminal; fewer than 40 are taken as 40. */
  readonly width: number;
  /** The page to read on, as a path from where the command was typed; absent where there is none. */
  readonly report?: string;
  /** The command that writes the sheet that people fill in; absent where the pipeline has none. */
  readonly labelCommand?: string;
  /** How commands name the dataset of a scorer; undefined where they need no name. */
  readonly datasetOf?: (scorer: string) => string | undefined;
}

/** A terminal of 24 lines, without the summary of the build, a blank line above it and the next prompt. */
const MOST_LINES = 19;
/** A ranking shows this many policies at least, and of those that are not in it this many. */
const LEAST_RANKED = 5;
const MOST_UNRANKED = 3;
const MOST_WARNINGS = 2;
/** Policies of another order that are named. */
const MOST_NAMED = 4;
/** A name within a sentence. */
const NAME = 28;

const shortName = (name: string): string => clipMiddle(plainLine(name), NAME);

/** At most `MOST_LINES` lines at 80 columns, the last ending in a newline. */
export function renderHeadline(data: ReportData, options: HeadlineOptions): string {
  const width = Math.max(40, options.width);
  const paint = painter(options.color);
  const title = [paint('bold', truncate(`${plainLine(data.experiment)}: ${experimentLine(data)}`, width))];
  const report = options.report === undefined ? [] : [`Report: ${options.report} (--full: every table here)`];
  const headline = headlineOf(data);
  const lines =
    headline === undefined
      ? [...title, '', 'No estimates.', '', ...report]
      : fitted(data, headline, { title, report, width, paint, options });
  return `${lines.join('\n').trimEnd()}\n`;
}

interface Parts {
  readonly title: readonly string[];
  readonly report: readonly string[];
  readonly width: number;
  readonly paint: Paint;
  readonly options: HeadlineOptions;
}

/** All lines, with blank ones between the parts where there is room. What matters least gives way first. */
function fitted(data: ReportData, headline: Headline, { title, report, width, paint, options }: Parts): string[] {
  const by = titleLines(headline, width, paint);
  const ranked = rankedLines(headline.ranking, width, paint);
  const unranked = unrankedLines(headline, width, paint);
  const pair = pairLines(headline, width, paint);
  const turned = turnedLines(headline, options.previous, width, paint);
  const warned = warnings(data, headline, width, paint);
  const refusals = [
    ...refusalLines(headline, { ...options, width }, paint),
    ...powerLines(headline, { ...options, width }, paint),
  ];
  let room = MOST_LINES - Math.min(ranked.length, LEAST_RANKED);
  for (const part of [title, report, by, unranked, pair, turned, warned, refusals]) room -= part.length;
  const take = (lines: readonly string[]): readonly string[] => {
    if (lines.length > room) return [];
    room -= lines.length;
    return lines;
  };
  const granted = take(grantedLines(data, headline, width, paint));
  const best = take(bestLines(headline, width, paint));
  const shift = take(moved(data, options.previous, width));
  // Between the five parts, as far as there is room.
  const blanks = Math.max(0, Math.min(room, 4));
  room -= blanks;
  const shown = shortened(ranked, Math.min(ranked.length, LEAST_RANKED) + Math.max(0, room));
  const parts = [
    title,
    [...by, ...shown, ...unranked],
    [...pair, ...best, ...turned, ...shift, ...granted, ...warned],
    refusals,
    report,
  ];
  return parts
    .filter((part) => part.length > 0)
    .flatMap((part, index) => (0 < index && index <= blanks ? ['', ...part] : part));
}

/** So many lines at most, the last of which counts what is left out. */
function shortened(lines: readonly string[], most: number, rest = (more: string) => `  …  and ${more} more`): string[] {
  if (lines.length <= most) return [...lines];
  return [...lines.slice(0, most - 1), rest(count(lines.length - most + 1))];
}

function titleLines({ ranking, insteadOf }: Headline, width: number, paint: Paint): string[] {
  const { ablation, scorer } = ranking;
  const whom = rankedOf(ranking);
  const by = `${rankingTitle(ranking)}${whom === '' ? '' : ` of ${whom}`} by ${shortName(ablation)}, ${shortName(scorer)} scorer`;
  const instead = insteadOf === undefined ? [] : [truncate(`(${plainLine(insteadOf)})`, width)];
  return [paint('bold', truncate(by, width)), ...instead];
}

function unrankedLines({ unranked }: Headline, width: number, paint: Paint): string[] {
  const names = unranked.map(({ policy }) => shortName(policy));
  const nameWidth = Math.max(0, ...names.map(columnsOf));
  const lines = unranked.map(({ why }, index) =>
    paint('yellow', truncate(`  –  ${padEnd(names[index]!, nameWidth)}  not ranked: ${plainLine(why)}`, width)),
  );
  return shortened(lines, MOST_UNRANKED);
}

function pairLines({ pair, unknown }: Headline, width: number, paint: Paint): string[] {
  if (unknown !== undefined) {
    const scored = pair === undefined ? '' : `${scoredLine(pair, shortName)} `;
    return shortenedText(`${scored}${plainLine(unknown)}`, width, 3);
  }
  return pair === undefined
    ? []
    : shortenedText(pairLine(pair, shortName), width, 2).map((line) => paint('bold', line));
}

function bestLines({ ranking }: Headline, width: number, paint: Paint): string[] {
  const told = [bestLine(ranking, shortName), orderLine(ranking)].filter((sentence) => sentence !== '').join(' ');
  return told === '' ? [] : shortenedText(told, width, 2).map((line) => paint('dim', line));
}

/** What the ranking takes for granted of the judge: true of nearly every one, so no warning. */
function grantedLines(data: ReportData, { ranking, pair }: Headline, width: number, paint: Paint): string[] {
  const quiet = assumptionOf(data, ranking, pair, shortName)?.quiet;
  return quiet === undefined ? [] : shortenedText(quiet, width, 2).map((line) => paint('dim', line));
}

/** An order that is not the one of the build before must not go unsaid, whichever estimator led then. */
function turnedLines({ ranking }: Headline, previous: ReportData | undefined, width: number, paint: Paint): string[] {
  const before = previous === undefined ? undefined : turnedRanking(previous, ranking);
  if (before === undefined) return [];
  const names = shortened(
    before.ranked.map(({ row }) => shortName(row.policy)),
    MOST_NAMED,
    (more) => `${more} more`,
  );
  const by = `by ${shortName(before.ablation)}, ${shortName(before.scorer)} scorer`;
  return [paint('yellow', truncate(`! The order turned: the last build had ${names.join(', ')} (${by})`, width))];
}

function moved(data: ReportData, previous: ReportData | undefined, width: number) {
  if (previous === undefined) return [];
  const { changes } = diffEstimates(previous, data);
  const summary = changes.length === 0 ? 'no estimate moved.' : movedSummary(changes, data.estimates.length);
  return [truncate(`Since the last build: ${summary}`, width)];
}

/** What every interval takes for granted and does not hold; of all other warnings the first, and how many there are. */
function warnings(data: ReportData, { ranking, pair }: Headline, width: number, paint: Paint): string[] {
  const lines = warningLines(data, ranking).map((text) => `! ${plainLine(text)}`);
  const claimed = assumptionOf(data, ranking, pair, shortName)?.warning;
  if (claimed !== undefined) lines.unshift(`! ${plainLine(claimed)}`);
  if (isTempered(data)) lines.unshift('† sampled at another temperature than 1: off by an unknown amount');
  const { own, rest: others } = otherWarnings(data.estimates, ranking);
  const all = lines.length + own.length + others.length;
  const shown = lines.length < MOST_WARNINGS || all <= MOST_WARNINGS ? lines : lines.slice(0, MOST_WARNINGS - 1);
  const [first = others[0]] = own;
  const more = all - shown.length;
  const where = own.length > 0 ? 'in the report' : `on ${more === 1 ? 'another estimate' : 'other estimates'}`;
  const such =
    own.length > 0 && more === 1 ? '' : `${counted(more, 'warning')} ${where}${more === 1 ? ': ' : ', such as '}`;
  const rest =
    shown.length > 0
      ? `! and ${counted(more, 'more warning')} in the report`
      : `! ${such}${first === undefined ? '' : plainLine(`${first.policy}: ${first.text}`)}`;
  return [...shown, ...(more === 0 ? [] : [rest])].map((line) => paint('yellow', truncate(line, width)));
}

function refusalLines({ refused, remedy, ranking }: Headline, options: HeadlineOptions, paint: Paint): string[] {
  const { width, labelCommand } = options;
  if (refused.cells === 0) return [];
  const of = `${count(refused.cells)} of ${counted(refused.of, 'estimate')}`;
  const lines = [truncate(`Refused: ${of} (${nameList(refused.policies)}).`, width)];
  if (remedy === undefined) return lines;
  const sheet = labelCommand !== undefined && LABELLED.has(remedy.gate);
  const fill = `\`${labelCommand}\`, fill in`;
  const way =
    remedy.detour === true ? `; or ${fill} \`label\`, build again` : `: ${fill} the column \`label\`, and build again`;
  const how = sheet ? way : '';
  const all = remedy.policies.length === ranking.ranked.length + ranking.refused.length + ranking.absent.length;
  const whom = all ? '' : `, for ${nameList(remedy.policies)}`;
  const text = `To do${whom}: ${plainLine(remedy.text)}${how}.`;
  return [...lines, ...shortenedText(text, width, 2).map((line) => paint('bold', line))];
}

/** What is left to do where the best two are not told apart and nothing is in the way of an estimate: a plan for the estimator that leads. */
function powerLines(
  { pair, remedy, ranking }: Headline,
  { width, datasetOf }: HeadlineOptions,
  paint: Paint,
): string[] {
  if (pair === undefined || pair.separated || remedy !== undefined || ranking.judgeAlone) return [];
  const dataset = datasetOf?.(ranking.scorer);
  const named = dataset === undefined ? '' : `${plainLine(dataset)} `;
  const command = `\`cje power ${named}--estimator ${ranking.estimator}\``;
  const long = `To do: ${command} plans what tells them apart.`;
  // A second line would take the place of a policy.
  const text = long.length <= width ? long : `Plan a study: ${command}`;
  return shortenedText(text, width, 2).map((line) => paint('bold', line));
}

/** Refusals that a filled sheet mends. */
const LABELLED = new Set(['no-oracle-labels', 'too-few-oracle-labels', 'too-few-own-labels']);

function nameList(policies: readonly string[]): string {
  const names = policies.slice(0, 3).map((policy) => clipMiddle(plainLine(policy), NAME / 2));
  const more = policies.length - names.length;
  return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function shortenedText(text: string, width: number, most: number): string[] {
  const lines = wrap(text, width);
  if (lines.length <= most) return lines;
  return [...lines.slice(0, most - 1), truncate(lines.slice(most - 1).join(' '), width)];
}
