/** Every gate on the data, and what it said. */

import type { ReportData } from '../data.ts';
import { gatesOf, type SharedGate, scorersLabel } from '../gates.ts';
import { left, number, right, type Table, tableOf, text } from '../table.ts';

export function gatesTable(data: ReportData): Table {
  const verdict = ({ result }: SharedGate) =>
    result.passed
      ? ({ text: '✓ passed', brief: 'passed', tone: 'good' } as const)
      : ({ text: '✗ failed', brief: 'failed', tone: 'bad' } as const);
  return tableOf<SharedGate>(
    [
      left('', verdict, { in: ['markdown'] }),
      left('Gate', ({ result }) => text(result.gate)),
      left('Policy', ({ result }) => (result.policy === null ? text('all', '') : text(result.policy))),
      right('Value', ({ result }) => number(result.value, 'significant')),
      left('Bound', ({ result }) => text(result.bound)),
      left('Verdict', verdict, { in: ['html', 'terminal'] }),
      left('Scorers', (gate) => text(scorersLabel(gate, data)), data.quality.length > 1 ? {} : { in: ['markdown'] }),
      left('Note', ({ result }) => text(result.note ?? '')),
    ],
    gatesOf(data),
    {
      title: ['Gates on the data, failed ones first'],
      note: 'Gates on one estimate’s weights are told with its refusal.',
    },
  );
}
