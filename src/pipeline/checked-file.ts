/** A YAML file that a command is given beside the pipeline: read, checked, and refused with every mistake at its place. */

import { resolve } from 'node:path';
import type { z } from 'zod';
import { Files } from './files.ts';
import { reportIssues } from './issues.ts';
import { Problems } from './problems.ts';
import { wholeOf } from './source.ts';
import { plain } from './tree.ts';

interface Asked {
  /** As it was typed, from the current directory. */
  readonly path: string;
  /** The option that named it. */
  readonly option: string;
  readonly cwd: string;
  /** Lines under these keys may hold credentials and are not shown. */
  readonly secretKeys?: readonly string[];
}

/** @throws ProblemError with every mistake: exit 2. */
export function readCheckedFile<T>({ path: written, option, cwd, secretKeys = [] }: Asked, schema: z.ZodType<T>): T {
  const problems = new Problems();
  const files = new Files(cwd, cwd, problems);
  const path = resolve(cwd, written);
  const reading = files.read(path);
  if (!reading.ok) {
    const argument = wholeOf({ kind: 'argument', name: option, text: written });
    files.complain(argument, written, path, reading.reason);
  }
  const tree = reading.ok ? files.yaml(path, reading.source) : undefined;
  problems.throwAny();
  if (tree === undefined) throw new Error('Internal error: a file without a tree or a mistake');
  const parsed = schema.safeParse(plain(tree));
  if (parsed.success) return parsed.data;
  reportIssues(parsed.error, { tree, schema, what: 'key', secretKeys }, problems);
  problems.throwAny();
  throw new Error(`Internal error: ${written} was rejected without a message`);
}
