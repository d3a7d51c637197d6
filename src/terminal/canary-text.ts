/** What a canary found, in words. */

import type { TrialFindings, TrialRest } from '../compare/trial-findings.ts';
import type { TrialOutcome } from '../engine/trial/trial.ts';
import { duration } from '../text/duration.ts';
import { printable } from '../text/escape.ts';
import { dollars } from '../text/money.ts';
import { count } from '../text/numbers.ts';
import { counted } from '../text/plural.ts';
import { table } from '../text/table.ts';
import { shiftText, UNITS } from './agreement-text.ts';
import { sharedFolder } from './node-names.ts';

export function canaryText(
  targets: readonly string[],
  findings: readonly TrialFindings[],
  rest: TrialRest,
  outcome: TrialOutcome,
): string {
  const { calls, cost, unknown, stopped } = outcome;
  const reserved = unknown === 0 ? '' : `, and ${dollars(unknown)} reserved for unknown outcomes`;
  if (findings.length === 0) return 'Nothing would be bought, so there is nothing to try.\n';
  const items = findings.reduce((sum, finding) => sum + finding.items, 0);
  const invalidated = findings.reduce((sum, finding) => sum + finding.invalidated, 0);
  const lines = [
    `Canary: ${counted(items, 'item')} of ${count(invalidated)}; ${counted(calls.bought, 'call')} bought for ${dollars(cost)}${reserved}`,
    '',
  ];
  // Most canaries try one stage: its name is said once.
  const { head, short } = sharedFolder(findings.map(({ node }) => node));
  const header = [head, 'items', 'before', 'after', 'shift', 'corr.', 'same'];
  const rows = findings.map(({ node, items: own, agreement }) =>
    agreement === null
      ? [short(node), count(own), '', '', '', '', '']
      : [
          short(node),
          count(agreement.n),
          agreement.meanBefore.toFixed(UNITS),
          agreement.meanAfter.toFixed(UNITS),
          shiftText(agreement),
          agreement.correlation?.toFixed(UNITS) ?? '',
          `${Math.round(agreement.unchanged * 100)} %`,
        ],
  );
  lines.push(table([header, ...rows], { align: ['left', 'right', 'right', 'right', 'right', 'right', 'right'] }));
  const incomplete = findings.filter(({ items: own, complete }) => complete < own);
  if (incomplete.length > 0) {
    const missing = incomplete.map(({ node, items: own, complete }) => `${node} ${count(own - complete)}`).join(', ');
    lines.push('', `Without a usable reply: ${missing}`);
  }
  if (findings.some(({ agreement, sameInputs }) => agreement !== null && !sameInputs)) {
    lines.push('', 'The inputs changed too: before and after are not of the same texts.');
  }
  const money = rest.dollars === null ? 'an unknown sum' : `about ${dollars(rest.dollars)}`;
  const time = rest.minutes === 0 ? '' : `, ${duration(rest.minutes * 60_000)} at the configured limits`;
  lines.push('', `The rest: ${rest.exact ? '' : 'at most '}${counted(rest.calls, 'call')} for ${money}${time}.`);
  if (stopped !== undefined) lines.push(`Stopped early: ${printable(stopped)}`);
  lines.push(`No node was finished; the replies are kept. To buy the rest: cje build ${targets.join(' ')}`);
  return `${lines.join('\n')}\n`;
}
