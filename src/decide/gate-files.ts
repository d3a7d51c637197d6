/** A gate for other programs and pages: JUnit XML for what runs tests, Markdown for a summary page. */

import { scaleText } from '../datasets/scale.ts';
import { escapeHtml, escapeMarkdown, plainLine } from '../text/escape.ts';
import { dollars } from '../text/money.ts';
import { count, interval, signed } from '../text/numbers.ts';
import type { GateResult } from './gate-result.ts';
import { assumptionTexts, claimText, differenceText, endText, verdictWord } from './gate-text.ts';
import type { PairNodes } from './pair-graph.ts';

/** One test case: passed, failed, or in error where it is undecided, so that nobody takes that for a pass. */
export function gateJunit(result: GateResult, nodes: Pick<PairNodes, 'labels'>, seconds: number): string {
  const xml = (text: string) => escapeHtml(plainLine(text));
  const last = result.looks.at(-1);
  const told = `${verdictWord(result)}: ${last === undefined ? '' : `${differenceText(last)}. `}${endText(result)}`;
  const outcome = {
    pass: '',
    fail: `\n      <failure type="gate-failed" message="${xml(told)}"/>`,
    undecided: `\n      <error type="gate-undecided" message="${xml(told)}"/>`,
  }[result.verdict];
  const { verdict } = result;
  const counts = `tests="1" failures="${verdict === 'fail' ? 1 : 0}" errors="${verdict === 'undecided' ? 1 : 0}" skipped="0"`;
  const time = `time="${seconds.toFixed(3)}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites ${counts} ${time}>
  <testsuite name="cje gate" ${counts} ${time}>
    <testcase classname="${xml(result.dataset)}" name="${xml(claimText(result))}" ${time}>${outcome}
      <system-out>${xml([told, ...assumptionTexts(result, nodes)].join(' '))}</system-out>
    </testcase>
  </testsuite>
</testsuites>
`;
}

export function gateMarkdown(result: GateResult, nodes: Pick<PairNodes, 'labels'>): string {
  const { candidate, baseline, margin, alpha, looks, bought, billed, scale } = result;
  const text = escapeMarkdown;
  const last = looks.at(-1);
  const mark = { pass: '✅', fail: '❌', undecided: '❔' }[result.verdict];
  const rows = looks.map(
    (look) =>
      `| ${count(look.prompts)} | ${count(look.labels.candidate + look.labels.baseline)} | ${look.difference === null ? '–' : signed(look.difference)} | ${interval(look.lower, look.upper)} | ${look.verdict} |`,
  );
  return `## ${mark} ${verdictWord(result)}: ${text(candidate)} against ${text(baseline)}

Tested: ${text(claimText(result))}, at α ${alpha}.

| | |
|---|---|
| difference | ${last === undefined || last.difference === null ? '–' : `${signed(last.difference)} ${interval(last.lower, last.upper)}`} |
| margin | ${margin}${scale === undefined ? '' : ` (${text(scaleText(scale))})`} |
| prompts | ${last === undefined ? 0 : count(last.prompts)}${last === undefined || last.missing === 0 ? '' : `, and ${count(last.missing)} that lack something`} |
| bought | ${count(bought)} calls, ${dollars(billed)} |

${text(endText(result))}

<details><summary>Looks and assumptions</summary>

| prompts | labels | difference | bounds, each at α, all looks together | |
|---:|---:|---:|---|---|
${rows.join('\n')}

${assumptionTexts(result, nodes)
  .map((line) => `- ${text(line)}`)
  .join('\n')}

</details>
`;
}
