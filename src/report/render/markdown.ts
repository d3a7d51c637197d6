/** `report.md`: the report for a pull request, a notebook, an e-mail. */

import type { DatasetQuality, EstimateRow, PolicyComparisons } from '../../datasets/results.ts';
import { escapeMarkdown as text } from '../../text/escape.ts';
import { dollars } from '../../text/money.ts';
import { count, decimal, interval, percent, significant } from '../../text/numbers.ts';
import { counted } from '../../text/plural.ts';
import { cellsOf, halfWidth } from '../model/cells.ts';
import { orderedPairs } from '../model/comparisons.ts';
import { isSimulated, type StageCost, stageCosts, totalCost } from '../model/cost-table.ts';
import type { ReportData } from '../model/data.ts';
import { gatesOf, scorersLabel } from '../model/gates.ts';
import { headlineRanking, truthCoverage, truthOf } from '../model/ranking.ts';
import { refusalsOf, refusedAblations, warningsOf } from '../model/refusals.ts';
import { TRANSPORT_NOTE, transportState } from '../model/transport.ts';
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
} from '../model/words.ts';

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
  const known = ranking.ranked.some(({ truth }) => truth !== null);
  const compared = ranking.comparisons !== undefined;
  const rows = ranking.ranked.map(({ rank, row, truth, probabilityOfBest }) => [
    String(rank),
    text(row.policy),
    decimal(row.estimate) + mark(row),
    interval(row.lower, row.upper),
    decimal(row.standardError),
    count(row.n),
    ...(compared ? [decimal(probabilityOfBest)] : []),
    ...(known ? [decimal(truth)] : []),
  ]);
  const lead = ranking.ranked.length === 0 ? '' : `**${rankingLine(ranking, text)}**`;
  const by = `Ranked by \`${codeText(ranking.ablation)}\` with the ${text(ranking.scorer)} scorer. ${leadingLine(ranking)}`;
  const instead = ranking.insteadOf === null ? '' : `${text(ranking.insteadOf)} gave no estimate; see the refusals.`;
  const refused = ranking.refused.map(
    (row) => `- ${text(row.policy)}: refused by ${text(row.gate)}. ${text(row.reason)}`,
  );
  const absent = ranking.absent.map((policy) => `- ${text(policy)}: no estimate.`);
  return paragraphs(
    '## Ranking',
    lead,
    [by, instead].filter(Boolean).join(' '),
    ranking.ranked.length === 0
      ? ''
      : table(
          [
            ...['Rank', 'Policy', 'Estimate', '95 % interval', 'SE', 'n'],
            ...(compared ? ['P(best)'] : []),
            ...(known ? ['Truth'] : []),
          ],
          'rlrrrrrr',
          rows,
        ),
    [...refused, ...absent].join('\n'),
    [separationLine(ranking, text), orderLine(ranking), truthLine(data)].filter(Boolean).join(' '),
    differencesTable(ranking.comparisons),
  );
}

function differencesTable(comparisons: PolicyComparisons | undefined): string {
  if (comparisons === undefined) return '';
  const rows = orderedPairs(comparisons).map((pair) => [
    `${text(pair.better)} − ${text(pair.worse)}`,
    decimal(pair.difference),
    decimal(pair.standardError),
    interval(pair.lower, pair.upper),
    significant(pair.familyP),
    significant(pair.discoveryP),
    pair.separated ? 'separated' : '',
  ]);
  return paragraphs(
    '### Differences',
    `Paired by prompt. ${SIMULTANEOUS_NOTE}`,
    table(['Pair', 'Difference', 'SE', '95 % interval', 'p, family-wise', 'p, discoveries', ''], 'lrrrrrl', rows),
  );
}

function estimateSections(data: ReportData): string[] {
  const cells = cellsOf(data.estimates);
  return cells.scorers.map((scorer) => {
    const known = data.policies.some((policy) => truthOf(data, policy) !== null);
    const rows = cells.ablationsOf(scorer).map((ablation) => {
      const ofPolicies = data.policies.map((policy) => cells.get(scorer, ablation, policy));
      const { inside, known: all } = truthCoverage(
        data,
        ofPolicies.flatMap((row) => (row?.status === 'ok' ? [row] : [])),
      );
      return [text(ablation), ...ofPolicies.map(estimateCell), ...(known ? [`${inside} of ${all}`] : [])];
    });
    if (known) rows.push(['*truth*', ...data.policies.map((policy) => `*${decimal(truthOf(data, policy))}*`), '']);
    const header = ['Ablation', ...data.policies.map(text), ...(known ? ['Holds truth'] : [])];
    return paragraphs(
      `## Estimates, ${text(scorer)} scorer`,
      `Estimate ± half of the 95 % interval. ${REFUSED_NOTE}`,
      table(header, `l${'r'.repeat(data.policies.length)}r`, rows),
    );
  });
}

function estimateCell(row: EstimateRow | undefined): string {
  if (row === undefined) return '';
  if (row.status === 'refused') return `*refused: ${text(row.gate)}*`;
  return `${decimal(row.estimate)} ± ${decimal(halfWidth(row))}${mark(row)}`;
}

function refusalSection(data: ReportData): string {
  const { scorers } = cellsOf(data.estimates);
  const refusals = refusalsOf(data.estimates).map((refusal) =>
    [
      `- **${text(refusal.policy)}** by **${text(refusal.gate)}**: ${text(refusedAblations(refusal, scorers))}`,
      `  - Why: ${text(refusal.reason)}`,
      `  - What to collect: ${text(refusal.collect)}`,
    ].join('\n'),
  );
  const warnings = warningsOf(data.estimates).map(
    (warning) => `- ${text(warning.text)} (${counted(warning.cells, 'estimate')})`,
  );
  return paragraphs(
    refusals.length === 0 ? '' : `## Refused\n\n${refusals.join('\n')}`,
    warnings.length === 0 ? '' : `## Warnings\n\n${warnings.join('\n')}`,
  );
}

function qualitySection(data: ReportData): string {
  if (data.quality.length === 0) return '';
  return paragraphs('## Data quality', ...data.quality.map((quality) => qualityOf(quality)));
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
  const logprobs = quality.logprobs.map((policy) => [
    text(policy.policy) + (policy.tempered ? TEMPERED_MARK : ''),
    count(policy.usable),
    percent(policy.zeroRate),
    Object.entries(policy.statuses)
      .map(([status, number]) => `${text(status)} ${count(number)}`)
      .join(', '),
  ]);
  const weights = quality.weights.map((policy) => [
    text(policy.policy),
    count(policy.n),
    significant(policy.mean),
    `[${significant(policy.meanLower)}, ${significant(policy.meanUpper)}]`,
    significant(policy.ess),
    percent(policy.n === 0 ? null : policy.ess / policy.n),
    percent(policy.typicality?.coverage ?? null),
    significant(policy.typicality?.factor ?? null),
  ]);
  const scores = quality.scores.map((policy) => [
    text(policy.policy),
    count(policy.n),
    decimal(policy.mean),
    decimal(policy.standardDeviation),
    count(policy.unparseable),
  ]);
  return paragraphs(
    `### ${text(quality.scorer)} scorer`,
    facts.join('\n'),
    table(['Log probabilities', 'Usable', 'Zero rate', 'Statuses'], 'lrrl', logprobs),
    table(
      [
        'Importance weights',
        'n',
        'Mean raw weight',
        '95 % interval',
        'ESS',
        'ESS share',
        'Typical',
        'Efficiency factor',
      ],
      'lrrrrrrr',
      weights,
    ),
    table(['Scores', 'n', 'Mean', 'SD', 'Unparseable'], 'lrrrr', scores),
    transportTable(quality),
  );
}

function transportTable({ transport }: DatasetQuality): string {
  if (transport.length === 0) return '';
  const rows = transport.map((audit) => [
    text(audit.policy),
    audit.state === 'fail' ? `**${transportState(audit)}**` : transportState(audit),
    count(audit.labels),
    decimal(audit.bias),
    audit.lower === null || audit.upper === null ? '–' : interval(audit.lower, audit.upper),
    audit.margin === null ? '–' : `± ${significant(audit.margin)}`,
    decimal(audit.detectableBias),
  ]);
  return paragraphs(
    table(['Transport', 'State', 'Own labels', 'Bias', '95 % interval', 'Margin', 'Detectable bias'], 'llrrrrr', rows),
    TRANSPORT_NOTE,
  );
}

function gateSection(data: ReportData): string {
  const gates = gatesOf(data);
  if (gates.length === 0) return '';
  const rows = gates.map((gate) => {
    const { result } = gate;
    return [
      result.passed ? 'passed' : '**failed**',
      text(result.gate),
      result.policy === null ? '' : text(result.policy),
      significant(result.value),
      text(result.bound),
      text(scorersLabel(gate, data)),
      result.note === undefined ? '' : text(result.note),
    ];
  });
  return paragraphs('## Gates', table(['', 'Gate', 'Policy', 'Value', 'Bound', 'Scorers', 'Note'], 'lllrlll', rows));
}

function costSection(data: ReportData): string {
  if (data.costs.length === 0) return '';
  const row = (cost: StageCost, name: string) => [
    name,
    cost.models.map(text).join(', '),
    count(cost.calls),
    count(cost.inputTokens),
    count(cost.outputTokens),
    text(dollars(cost.dollars)),
  ];
  const rows = stageCosts(data).map((cost) => row(cost, text(cost.stage)));
  const total = totalCost(data);
  rows.push(row({ ...total, models: [] }, '**all stages**'));
  return paragraphs(
    '## Calls and cost to reproduce',
    table(['Stage', 'Models', 'Calls', 'Input tokens', 'Output tokens', 'Cost'], 'llrrrr', rows),
    priceNote(data),
  );
}

function priceNote(data: ReportData): string {
  const date = data.pricesDate === null ? '' : `Prices as of ${text(data.pricesDate)}.`;
  return [date, isSimulated(data) ? 'The money is simulated.' : ''].filter(Boolean).join(' ');
}

function mark(row: EstimateRow): string {
  return row.tempered ? TEMPERED_MARK : '';
}

/** Inside a code span nothing needs an escape but the span's own end and the cell's. */
function codeText(name: string): string {
  return name.replace(/[`|\s\p{Cc}]+/gu, ' ').trim() || ' ';
}

/** @param alignment one letter a column: l or r */
function table(header: readonly string[], alignment: string, rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const rule = header.map((_, column) => (alignment[column] === 'r' ? '---:' : ':---'));
  return [header, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function paragraphs(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n\n');
}
