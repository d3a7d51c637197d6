/** All kinds, by name. Each is a module of its own, so that each has a digest of its own. */

import type { Kind, RegisteredKind } from '../core/kind.ts';
import { dataset } from './dataset.ts';
import { estimate } from './estimate.ts';
import { grid } from './grid.ts';
import { gridSummary } from './grid-summary.ts';
import { importKind } from './import.ts';
import { logprobs } from './logprobs.ts';
import { oracle } from './oracle.ts';
import { panel } from './panel.ts';
import { prompts } from './prompts.ts';
import { report } from './report.ts';
import { responses } from './responses.ts';
import { scores } from './scores.ts';
import { tableLabels } from './table-labels.ts';
import { tableResponses } from './table-responses.ts';
import { tableScores } from './table-scores.ts';
import { truth } from './truth.ts';

export const KINDS: readonly Kind[] = [
  prompts,
  responses,
  logprobs,
  scores,
  panel,
  oracle,
  dataset,
  importKind,
  tableResponses,
  tableScores,
  tableLabels,
  estimate,
  truth,
  report,
  grid,
  gridSummary,
];

/** @param codeDigests digest of the code behind each kind, by its name; taken when the command is bundled. */
export function registerKinds(codeDigests: Readonly<Record<string, string>>): ReadonlyMap<string, RegisteredKind> {
  return new Map(
    KINDS.map((kind) => {
      const code = codeDigests[kind.name];
      if (code === undefined) throw new Error(`Internal error: the bundle has no code digest of the kind ${kind.name}`);
      return [kind.name, { kind, code }];
    }),
  );
}
