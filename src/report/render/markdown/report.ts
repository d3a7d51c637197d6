/** `report.md`: the report for a pull request, a notebook, an e-mail. */

import type { DatasetQuality } from '../../../datasets/results.ts';
import { escapeMarkdown as text } from '../../../text/escape.ts';
import { count, decimal } from '../../../text/numbers.ts';
import { counted } from '../../../text/plural.ts';
import { cellsOf } from '../../model/cells.ts';
import { isSimulated, otherPriceTexts } from '../../model/costs.ts';
import type { ReportData } from '../../model/data.ts';
import { headlineRanking } from '../../model/ranking.ts';
import { ablationsText, refusalsOf, warningsOf } from '../../model/refusals.ts';
import { servedLines } from '../../model/served.ts';
import { stageCostTable } from '../../model/tables/costs.ts';
import { estimatesTable } from '../../model/tables/estimates.ts';
import { gatesTable } from '../../model/tables/gates.ts';
import { datasetTables } from '../../model/tables/quality.ts';
import { differencesTable, rankingTable } from '../../model/tables/ranking.ts';
import { TRANSPORT_NOTE } from '../../model/transport-audit.ts';
import {
  experimentLine,
  isTempered,
  leadingLine,
  orderLine,
  REFUSED_NOTE,
  rankingLine,
  SIMULTANEOUS_NOTE,
  separationLine,
  TEMPERED_MARK,
  TEMPERED_NOTE,
  truthLine,
} from '../../model/words.ts';
import { tableMarkdown } from './table.ts';

export function renderMarkdown(data: ReportData): string {
  const sections = [
    `# ${text(data.experiment)}\n\n${text(experimentLine(data))}`,
    rankingSection(data),
    ...estimateSections(data),
    refusalSection(data),
    qualitySection(data),
    gateSection(data),
    costSection(data),
    isTempered(data) ? `${TEMPERED_MARK} ${TEMPERED_NOTE}` : '',
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function rankingSection(data: ReportData): string {
  const ranking = headlineRanking(data);
  if (ranking === undefined) return '## Ranking\n\nNo estimates.';
  const lead = ranking.ranked.length === 0 ? '' : `**${rankingLine(ranking, text)}**`;
  const by = `Ranked by \`${codeText(ranking.ablation)}\` with the ${text(ranking.scorer)} scorer. ${leadingLine(ranking)}`;
  const instead = ranking.insteadOf === null ? '' : `${text(ranking.insteadOf)} gave no estimate; see the refusals.`;
  const refused = ranking.refused.map(
    (row) => `- ${text(row.policy)}: refused by ${text(row.gate)}. ${text(row.reason)}`,
  );
  const absent = ranking.absent.map((policy) => `- ${text(policy)}: no estimate.`);
  const differences = differencesTable(ranking);
  return paragraphs(
    '## Ranking',
    lead,
    [by, instead].filter(Boolean).join(' '),
    tableMarkdown(rankingTable(ranking)),
    [...refused, ...absent].join('\n'),
    [separationLine(ranking, text), orderLine(ranking), truthLine(data)].filter(Boolean).join(' '),
    ...(differences === undefined
      ? []
      : ['### Differences', `Paired by prompt. ${SIMULTANEOUS_NOTE}`, tableMarkdown(differences)]),
  );
}

function estimateSections(data: ReportData): string[] {
  return cellsOf(data.estimates).scorers.map((scorer) =>
    paragraphs(
      `## Estimates, ${text(scorer)} scorer`,
      `Estimate ± half of the 95 % interval. ${REFUSED_NOTE}`,
      tableMarkdown(estimatesTable(data, scorer)),
    ),
  );
}

function refusalSection(data: ReportData): string {
  const { scorers } = cellsOf(data.estimates);
  const refusals = refusalsOf(data.estimates).map((refusal) =>
    [
      `- **${text(refusal.policy)}** by **${text(refusal.gate)}**: ${text(ablationsText(refusal, scorers))}`,
      `  - Why: ${text(refusal.reason)}`,
      `  - What to collect: ${text(refusal.collect)}`,
    ].join('\n'),
  );
  const warnings = warningsOf(data.estimates).map(
    (warning) => `- **${text(warning.policy)}**: ${text(warning.text)}. ${text(ablationsText(warning, scorers))}`,
  );
  return paragraphs(
    refusals.length === 0 ? '' : `## Refused\n\n${refusals.join('\n')}`,
    warnings.length === 0 ? '' : `## Warnings\n\n${warnings.join('\n')}`,
  );
}

function qualitySection(data: ReportData): string {
  const served = servedLines(data).map(({ node, text: said }) => `- ${text(node)}: ${text(said)}`);
  const answered = served.length === 0 ? '' : paragraphs('### Which model answered', served.join('\n'));
  if (data.quality.length === 0 && answered === '') return '';
  return paragraphs('## Data quality', ...data.quality.map((quality) => qualityOf(quality)), answered);
}

function qualityOf(quality: DatasetQuality): string {
  const validation = Object.entries(quality.labels.validation).map(
    ([policy, number]) => `${text(policy)} ${count(number)}`,
  );
  const missing = Object.entries(quality.missing).filter(([, number]) => number > 0);
  const facts = [
    `- Rows: ${count(quality.rows)}`,
    `- Labels: ${count(quality.labels.calibration)} for calibration${validation.length === 0 ? '' : `; for validation ${validation.join(', ')}`}`,
    `- Missing: ${missing.length === 0 ? 'nothing' : missing.map(([what, number]) => `${text(what)} ${count(number)}`).join(', ')}`,
    quality.calibration === null
      ? '- Reward calibration: none'
      : `- Reward calibration: ${text(quality.calibration.mode)}, root mean squared error ${decimal(quality.calibration.rmse)} on ${counted(quality.calibration.points.length, 'label')}`,
  ];
  return paragraphs(
    `### ${text(quality.scorer)} scorer`,
    facts.join('\n'),
    ...datasetTables(quality).map(tableMarkdown),
    quality.transport.length === 0 ? '' : TRANSPORT_NOTE,
  );
}

function gateSection(data: ReportData): string {
  const table = tableMarkdown(gatesTable(data));
  return table === '' ? '' : paragraphs('## Gates', table);
}

function costSection(data: ReportData): string {
  if (data.costs.length === 0) return '';
  return paragraphs('## Calls and cost to reproduce', tableMarkdown(stageCostTable(data)), priceNote(data));
}

function priceNote(data: ReportData): string {
  const date = data.pricesDate === null ? '' : `Prices as of ${text(data.pricesDate)}.`;
  return [date, ...otherPriceTexts(data).map(text), isSimulated(data) ? 'The money is simulated.' : '']
    .filter(Boolean)
    .join(' ');
}

/** Inside a code span nothing needs an escape but the span's own end and the cell's. */
function codeText(name: string): string {
  return name.replace(/[`|\s\p{Cc}]+/gu, ' ').trim() || ' ';
}

function paragraphs(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n\n');
}
