/** Turns what zod finds into mistakes a person can mend: a sentence, the place in the file, a hint. */

import type { z } from 'zod';
import { type IssueDetail, type ParamMark, paramMark } from '../core/params.ts';
import { nearest } from '../core/problem.ts';
import { type Details, type Facts, type Problems, suggest } from './problems.ts';
import { keysOf, schemaAt } from './schemas.ts';
import { pointTo } from './source.ts';
import { entry, follow, type Tree, textOf } from './tree.ts';

type Issue = z.core.$ZodIssue;

interface Checked {
  readonly tree: Tree;
  readonly schema: z.ZodType;
  /** What the tree is, as in `unknown parameter 'x'`: `parameter`, `key`. */
  readonly what: string;
  readonly facts?: Facts;
  /** Lines under these keys may hold credentials and are not shown. */
  readonly secretKeys?: readonly string[];
}

export function reportIssues(error: z.ZodError, checked: Checked, problems: Problems): void {
  const issues = error.issues.flatMap((issue) => chosenOf(issue, issue.path, checked));
  const misspelt = misspeltKeys(issues, checked);
  const own = issues.filter(({ path }) => !misspelt.has(JSON.stringify(path)));
  const others = filesOfAnotherKind(own, checked, problems);
  for (const issue of own) {
    if (!others.some((path) => isUnder(path, issue.path))) report(issue, checked, problems);
  }
}

const isUnder = (path: readonly PropertyKey[], deeper: readonly PropertyKey[]): boolean =>
  path.every((step, at) => step === deeper[at]);

/** An issue as the branch of a union that it comes closest to has it, with whole paths. */
function chosenOf(issue: Issue, path: readonly PropertyKey[], checked: Checked): Issue[] {
  const branch = issue.code === 'invalid_union' ? closestBranch(issue, checked, path) : undefined;
  if (branch === undefined) return [{ ...issue, path: [...path] }];
  return branch.flatMap((nested) => chosenOf(nested, [...path, ...nested.path], checked));
}

/**
 * Files that lack what they must have and hold several keys that they may not, such as a policy's where a judge's is
 * wanted: one mistake each. @returns their paths
 */
function filesOfAnotherKind(issues: readonly Issue[], { tree, facts = [] }: Checked, problems: Problems) {
  return issues.flatMap((issue) => {
    const { path } = issue;
    const found = follow(tree, path);
    const isFile = found.outside > 0 && found.outside === path.length && !found.broken;
    if (issue.code !== 'unrecognized_keys' || issue.keys.length < 2 || !isFile) return [];
    const missing = issues
      .filter((other) => other.path.length === path.length + 1 && isUnder(path, other.path))
      .map((other) => String(other.path.at(-1)))
      .filter((key) => entry(found.tree, key) === undefined);
    if (missing.length === 0) return [];
    problems.add(found.span, 'CJE-BAD-VALUE', `This file is not what '${String(path.at(-1))}' asks for`, {
      facts: [...facts, ['lacks', missing.join(', ')], ['unknown', issue.keys.join(', ')]],
      hint: `Name the file that '${String(path.at(-1))}' means, or write it anew.`,
    });
    return [path];
  });
}

/** Paths of keys that are missing because another key was meant to be them: its own message says so. */
function misspeltKeys(issues: readonly Issue[], { tree, schema }: Checked): ReadonlySet<string> {
  return new Set(
    issues.flatMap((issue) => {
      if (issue.code !== 'unrecognized_keys') return [];
      const at = follow(tree, issue.path);
      const known = schemaAt(schema, issue.path);
      const free = (known === undefined ? [] : keysOf(known)).filter((name) => entry(at.tree, name) === undefined);
      return issue.keys.flatMap((key) => {
        const meant = nearest(key, free);
        return meant === undefined ? [] : [JSON.stringify([...issue.path, meant])];
      });
    }),
  );
}

function report(issue: Issue, checked: Checked, problems: Problems): void {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) reportUnknownKey(key, path, checked, problems);
    return;
  }
  if (issue.code === 'invalid_key') {
    const found = follow(checked.tree, path.slice(0, -1));
    const key = String(path.at(-1));
    const place = entry(found.tree, key)?.key ?? found.span;
    problems.add(place, 'CJE-BAD-NAME', ownWords(issue.issues[0]?.message, `'${key}'`) ?? `'${key}' cannot stand here`);
    return;
  }
  const found = follow(checked.tree, path);
  if (found.broken) return;
  const missing = found.tree === undefined || found.tree.type === 'absent';
  const name = nameOf(path.slice(found.outside), found.outside > 0 ? 'file' : checked.what);
  const details: Details & { facts: Facts } = {
    facts: [...(checked.facts ?? []), ...valueFacts(found.tree)],
    secret: path.some((step) => checked.secretKeys?.includes(String(step)) ?? false),
    hint: hintFor(issue, found.tree),
  };
  if (issue.code === 'custom') {
    const detail = (issue.params ?? {}) as IssueDetail;
    problems.add(
      within(found, detail),
      detail.id ?? 'CJE-BAD-VALUE',
      ownWords(issue.message, name) ?? `${name} is not right`,
      {
        ...details,
        hint: detail.hint === undefined ? details.hint : capitalised(detail.hint),
        ...(detail.ofStage === undefined ? {} : { everywhere: true }),
      },
    );
    return;
  }
  if (isEmptyFile(found.tree)) {
    const hint = 'It is a mapping: lines of `key: value`.';
    problems.add(found.span, 'CJE-BAD-VALUE', 'This file is empty', { ...details, hint });
    return;
  }
  const headline =
    missing && (issue.code === 'invalid_type' || issue.code === 'invalid_union' || issue.code === 'invalid_value')
      ? `${name} is missing`
      : sentence(issue, name);
  const mistake = missing ? 'CJE-MISSING-VALUE' : 'CJE-BAD-VALUE';
  const expected = missing ? ([['expected', written(checked.schema, path) ?? expectation(issue)]] as const) : [];
  problems.add(found.span, mistake, headline, { ...details, facts: [...details.facts, ...expected] });
}

const isEmptyFile = (tree: Tree | undefined): boolean =>
  tree?.type === 'scalar' &&
  tree.value === null &&
  tree.span.source.kind === 'file' &&
  tree.span.source.text.trim() === '';

/** An offset counts from the start of a text that fills its source, that is of a text file. */
function within(found: ReturnType<typeof follow>, detail: IssueDetail): ReturnType<typeof follow>['span'] {
  const { span, tree } = found;
  if (textOf(tree) === undefined || textOf(tree) !== span.source.text) return span;
  const start = Math.min(detail.offset ?? 0, span.source.text.length);
  return { source: span.source, start, end: start + (detail.width ?? 1) };
}

export function reportUnknownKey(
  key: string,
  path: readonly PropertyKey[],
  checked: Checked,
  problems: Problems,
): void {
  const found = follow(checked.tree, path);
  if (found.broken) return;
  const schema = schemaAt(checked.schema, path);
  const known = schema === undefined ? [] : keysOf(schema);
  const free = known.filter((name) => entry(found.tree, name) === undefined);
  const inside = path.slice(found.outside);
  const where = inside.length === 0 ? '' : ` under ${nameOf(inside, checked.what)}`;
  const what = found.outside > 0 || path.length > 0 ? 'key' : checked.what;
  problems.add(
    entry(found.tree, key)?.key ?? found.span,
    what === 'parameter' ? 'CJE-UNKNOWN-PARAMETER' : 'CJE-UNKNOWN-KEY',
    `Unknown ${what} '${key}'${where}`,
    {
      facts: checked.facts ?? [],
      hint: suggest(key, free.length > 0 ? free : known, what),
      secret: checked.secretKeys !== undefined,
    },
  );
}

/** Where the value did not come from the place that the caret shows. */
function valueFacts(tree: Tree | undefined): Facts {
  if (tree?.from === undefined) return [];
  const value = tree.type === 'scalar' ? [['value', JSON.stringify(tree.value)] as const] : [];
  return [...value, ['from', pointTo(tree.from.span)]];
}

function nameOf(path: readonly PropertyKey[], what: string): string {
  if (path.length === 0) return what === 'parameter' ? 'The parameters' : 'This file';
  let name = '';
  for (const step of path) name += typeof step === 'number' ? `[${step}]` : `${name === '' ? '' : '.'}${String(step)}`;
  return `'${name}'`;
}

/** A message that a schema's author wrote; it follows the name if it begins as a predicate (`must be …`). */
function ownWords(message: string | undefined, name?: string): string | undefined {
  if (message === undefined || /^(Invalid|Too (small|big)|Unrecognized)\b/.test(message)) return undefined;
  const predicate = /^(must|is|are|has|holds|lacks|cannot|may|needs|takes)\b/.test(message);
  return name !== undefined && predicate ? `${name} ${message}` : capitalised(message);
}

const capitalised = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

function sentence(issue: Issue, name: string): string {
  return ownWords(issue.message, name) ?? `${name} must be ${expectation(issue)}`;
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'a mapping',
  record: 'a mapping',
  null: 'null',
};

const WRITTEN: Readonly<Record<ParamMark, string>> = {
  'yaml-file': 'the path of a YAML file',
  'prices-file': 'the path of a price table',
  'text-file': 'the path of a text file',
  model: 'the alias of a model',
  path: 'the path of a file',
};

/** What is to be written at a path whose value is resolved from something else. */
function written(schema: z.ZodType, path: readonly PropertyKey[]): string | undefined {
  const found = schemaAt(schema, path);
  const marked = found === undefined ? undefined : paramMark(found);
  return marked === undefined ? undefined : WRITTEN[marked.mark];
}

/** What was expected, to follow `must be`. */
function expectation(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return TYPES[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return oneOf(issue.values.map((value) => (typeof value === 'string' ? `'${value}'` : String(value))));
    case 'too_small':
      return bound(issue.origin, issue.minimum, issue.inclusive ?? true, 'at least', 'above');
    case 'too_big':
      return bound(issue.origin, issue.maximum, issue.inclusive ?? true, 'at most', 'below');
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor}`;
    case 'invalid_format':
      return issue.format === 'regex' ? 'of another form' : `a valid ${issue.format.replaceAll('_', ' ')}`;
    case 'invalid_union': {
      const options = (issue as { options?: readonly unknown[] }).options;
      if (options !== undefined) return oneOf(options.map((option) => `'${String(option)}'`));
      return oneOf([...new Set(issue.errors.flatMap((errors) => errors.map(expectation)))]);
    }
    case 'custom':
    case 'invalid_key':
    case 'invalid_element':
    case 'unrecognized_keys':
      return issue.message;
  }
}

const oneOf = (choices: readonly string[]): string =>
  choices.length <= 1 ? (choices[0] ?? 'something else') : `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`;

function bound(origin: string, limit: number | bigint, inclusive: boolean, closed: string, open: string): string {
  if (origin === 'string' || origin === 'array' || origin === 'set') {
    const unit = origin === 'string' ? 'character' : 'entry';
    const plural = origin === 'string' ? 'characters' : 'entries';
    return `${closed} ${limit} ${Number(limit) === 1 ? unit : plural} long`;
  }
  return `${inclusive ? closed : open} ${limit}`;
}

/** The nearest of the words that can stand here. */
function hintFor(issue: Issue, tree: Tree | undefined): string | undefined {
  const written = textOf(tree);
  if (written !== undefined && issue.code === 'invalid_type' && TYPES[issue.expected] === 'a mapping') {
    return 'Each line of a mapping is `key: value`, with a colon and a space.';
  }
  const words = wordsOf(issue);
  if (written === undefined || words.length === 0) return undefined;
  const suggestion = suggest(written, words, 'word');
  return suggestion.startsWith('Did') ? suggestion : undefined;
}

function wordsOf(issue: Issue): string[] {
  if (issue.code === 'invalid_value') return issue.values.filter((value) => typeof value === 'string');
  if (issue.code !== 'invalid_union') return [];
  const options = (issue as { options?: readonly unknown[] }).options ?? [];
  return [...options.filter((option) => typeof option === 'string'), ...issue.errors.flat().flatMap(wordsOf)];
}

/** The one branch of a union that the value clearly meant: the only one that fails below its root, not at it. */
function closestBranch(
  issue: z.core.$ZodIssueInvalidUnion,
  checked: Checked,
  path: readonly PropertyKey[],
): readonly Issue[] | undefined {
  if (follow(checked.tree, path).tree === undefined) return undefined;
  const inside = issue.errors.filter((errors) =>
    errors.every((error) => error.path.length > 0 || !['invalid_type', 'invalid_value'].includes(error.code)),
  );
  return inside.length === 1 ? inside[0] : undefined;
}
