/** Whether the rows that a judge sees will have what its template asks for. */

import { isJsonObject } from '../../core/json.ts';
import type { WiredNode, WiringFault } from '../../core/kind.ts';
import type { Judge } from './judge-file.ts';
import { placeholdersOf } from './template.ts';

/**
 * @param at the path of the judge in the node's parameters
 * @param responses the nodes whose responses it sees
 */
export function columnFaults(judge: Judge, at: readonly string[], responses: readonly WiredNode[]): WiringFault[] {
  const names = [...placeholdersOf(judge.template)];
  const faults: WiringFault[] = [];
  for (const node of responses) {
    // Kinds that hand prompts on have them from here; a table has its own.
    const source = node.inputs('prompts')[0] ?? node;
    const { columns, keep } = source.params;
    const kept: readonly unknown[] = Array.isArray(keep) ? keep : [];
    if (names.includes('reference') && !(isJsonObject(columns) && typeof columns.reference === 'string')) {
      faults.push({
        at: { param: [...at, 'template'] },
        message: `the template asks for {{reference}}, and '${source.name}' reads no reference answers`,
        hint: `Say which column holds them, under the params of '${source.name}': \`columns: {reference: NAME}\`.`,
      });
    }
    for (const name of names) {
      const column = name.startsWith('columns.') ? name.slice('columns.'.length) : undefined;
      if (column === undefined || kept.includes(column)) continue;
      faults.push({
        at: { param: [...at, 'template'] },
        message: `the template asks for {{${name}}}, and '${source.name}' does not keep the column '${column}'`,
        hint: `Add it under the params of '${source.name}': \`keep: [${[...kept, column].join(', ')}]\`.`,
      });
    }
  }
  return faults;
}
