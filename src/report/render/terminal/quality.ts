/** Data quality in a terminal: how far each policy overlaps with the logger, and what every gate said. */

import type { DatasetQuality } from '../../../datasets/results.ts';
import { plainLine } from '../../../text/escape.ts';
import { count, significant } from '../../../text/numbers.ts';
import type { Paint } from '../../../text/paint.ts';
import { wrap } from '../../../text/wrap.ts';
import type { ReportData } from '../../model/data.ts';
import { gatesOf, logprobQualities } from '../../model/gates.ts';
import { servedLines, usageLines } from '../../model/served.ts';
import { overlapTable } from '../../model/tables/quality.ts';
import { transportAudits, transportSummary } from '../../model/transport-audit.ts';
import { tableLines } from './table.ts';

/** Lines of at most `width` columns; none without datasets. */
export function qualityLines(data: ReportData, width: number, paint: Paint): string[] {
  const lines = [...servedLines(data), ...usageLines(data)].flatMap(({ node, text }) =>
    wrap(`${plainLine(node)}: ${plainLine(text)}`, width, 2).map((line) => paint('yellow', line)),
  );
  for (const { scorers, quality } of logprobQualities(data)) {
    const which = scorers.length === data.quality.length ? '' : `, ${scorers.join(' and ')}`;
    const title = `Importance weights against ${data.logger ?? 'the log'}${which}`;
    lines.push(...tableLines(overlapTable(quality, title), width, paint));
    lines.push(...wrap(labelLine(quality), width).map((line) => paint('dim', line)));
  }
  return [...lines, ...transportLines(data, width, paint), ...gateLines(data, width, paint)];
}

function transportLines(data: ReportData, width: number, paint: Paint): string[] {
  const audits = transportAudits(data).map(({ scorer, results }) => ({
    scorer: plainLine(scorer),
    failed: results.some(({ state }) => state === 'fail'),
    summary: transportSummary(results, plainLine),
  }));
  const alike = audits.every(({ summary }) => summary === audits[0]?.summary);
  return (alike ? audits.slice(0, 1) : audits).flatMap(({ scorer, failed, summary }) =>
    wrap(`Transport of the calibration${alike ? '' : `, ${scorer}`}: ${summary}`, width, 2).map((line) =>
      paint(failed ? 'yellow' : 'dim', line),
    ),
  );
}

function labelLine({ rows, labels }: DatasetQuality): string {
  const validation = Object.values(labels.validation).reduce((total, of) => total + of, 0);
  return `${count(rows)} rows, ${count(labels.calibration)} calibration labels, ${count(validation)} validation labels.`;
}

/** Gates that passed are counted with their most daring value; one that failed is told by itself. */
function gateLines(data: ReportData, width: number, paint: Paint): string[] {
  const gates = gatesOf(data);
  if (gates.length === 0) return [];
  const passed = gates.filter(({ result }) => result.passed);
  const byName = new Map<string, typeof passed>();
  for (const gate of passed) byName.set(gate.result.gate, [...(byName.get(gate.result.gate) ?? []), gate]);
  const told = [...byName].map(([name, same]) => {
    const values = same.flatMap(({ result }) => (result.value === null ? [] : [result.value]));
    const least = significant(Math.min(...values));
    const most = significant(Math.max(...values));
    const value = least === most ? least : `${least} to ${most}`;
    return `${plainLine(name)} ${value} (${plainLine(same[0]!.result.bound)})`;
  });
  const lines = wrap(`Data gates: ${passed.length} of ${gates.length} passed. ${told.join(' · ')}`, width, 2);
  for (const { result } of gates) {
    if (result.passed) continue;
    const policy = result.policy === null ? '' : ` of ${plainLine(result.policy)}`;
    const text = `✗ ${plainLine(result.gate)}${policy} is ${significant(result.value)}, must be ${plainLine(result.bound)}`;
    lines.push(...wrap(text, width, 4, 2).map((line) => paint('yellow', line)));
  }
  return lines;
}
