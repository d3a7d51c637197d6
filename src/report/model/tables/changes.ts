/** How far each estimate moved since an earlier build, one table a scorer. */

import { cellKey, cellsOf } from '../cells.ts';
import type { EstimateChange } from '../difference.ts';
import { type Cell, left, right, type Table, tableOf, text } from '../table.ts';

/** @param policies in the pipeline's order; those without a change are left out */
export function changeTables(changes: readonly EstimateChange[], policies: readonly string[]): Table[] {
  const { scorers } = cellsOf(changes.map((change) => ('after' in change ? change.after : change.before)));
  const byCell = new Map(changes.map((change) => [cellKey(change.scorer, change.ablation, change.policy), change]));
  return scorers.map((scorer) => {
    const ofScorer = changes.filter((change) => change.scorer === scorer);
    const changed = new Set(ofScorer.map(({ policy }) => policy));
    const columns = [...new Set([...policies, ...changed])].filter((policy) => changed.has(policy));
    return tableOf<string>(
      [
        left(`Δ ${scorer}`, (ablation) => text(ablation)),
        ...columns.map((policy) =>
          right<string>(policy, (ablation) => changeCell(byCell.get(cellKey(scorer, ablation, policy)))),
        ),
      ],
      [...new Set(ofScorer.map(({ ablation }) => ablation))],
    );
  });
}

function changeCell(change: EstimateChange | undefined): Cell {
  switch (change?.type) {
    case undefined:
      return { delta: null };
    case 'moved':
      return { delta: change.delta };
    case 'other-units':
      return { list: [text('other units, now'), { value: change.after.estimate, as: 'decimal' }], between: ' ' };
    case 'newly-refused':
      return { text: `now refused: ${change.after.gate}`, brief: 'refused', tone: 'bad' };
    case 'newly-estimated':
      return { list: [text('now'), { value: change.after.estimate, as: 'decimal' }], between: ' ' };
    case 'refused-otherwise':
      return { text: `refused: ${change.after.gate}`, brief: 'refused', tone: 'bad' };
    case 'added':
      if (change.after.status === 'refused') return text('new');
      return { list: [text('new'), { value: change.after.estimate, as: 'decimal' }], between: ' ' };
    case 'removed':
      return text('removed', 'gone');
  }
}
