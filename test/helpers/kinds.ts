/** The shipped kinds, and others beside them, as a composition registers them. */

import type { Kind, Kinds } from '../../src/core/kind.ts';
import { KINDS } from '../../src/kinds/index.ts';

export const kindsWith = (...more: readonly Kind[]): Kinds =>
  new Map([...KINDS, ...more].map((kind) => [kind.name, { kind, code: `code of ${kind.name}` }]));
