/** Prompt templates: Markdown with `{{name}}` where a text goes. Inserted text is never rendered again. */

import { z } from 'zod';
import type { IssueDetail } from '../../core/params.ts';
import { joinQuoted, type QuotedPart, type QuotedText, quotePart, quoteRun } from '../../core/pieces.ts';
import { nearest } from '../../core/problem.ts';

const PLACEHOLDER = /\{\{\s*([^{}]*?)\s*\}\}/g;

/** Replaces each placeholder by its text in one pass, so that braces in an inserted text stay what they are. */
export function renderTemplate(template: string, values: Readonly<Record<string, string>>): string {
  let rendered = '';
  for (const { plain, name } of partsOf(template)) {
    rendered += plain.text;
    if (name !== undefined) rendered += textFor(values, name);
  }
  return rendered;
}

/** The same with its JSON form, for which the template's own text is escaped and encoded once. */
export function renderQuoted(template: string, values: Readonly<Record<string, string>>): QuotedText {
  const quoted: QuotedPart[] = [];
  for (const { plain, name } of partsOf(template)) {
    quoted.push(plain);
    if (name !== undefined) quoted.push(quotePart(textFor(values, name)));
  }
  return joinQuoted(quoted);
}

function textFor(values: Readonly<Record<string, string>>, name: string): string {
  const value = values[name];
  if (value === undefined) throw new Error(`Internal error: the template asks for ${name}, which was not checked`);
  return value;
}

/** A run of plain text, and the placeholder behind it; the last has none. */
interface Part {
  readonly plain: QuotedPart;
  readonly name: string | undefined;
}

/** A node renders one template for all of its items, and few nodes render at once: looking again costs more than keeping. */
const KEPT = 16;
const kept = new Map<string, readonly Part[]>();

function partsOf(template: string): readonly Part[] {
  const known = kept.get(template);
  if (known !== undefined) return known;
  const parts: Part[] = [];
  let end = 0;
  for (const match of template.matchAll(PLACEHOLDER)) {
    parts.push({ plain: quoteRun(template.slice(end, match.index)), name: match[1] ?? '' });
    end = match.index + match[0].length;
  }
  parts.push({ plain: quoteRun(template.slice(end)), name: undefined });
  if (kept.size >= KEPT) kept.clear();
  kept.set(template, parts);
  return parts;
}

/** The names of the texts that a template asks for. */
export function placeholdersOf(template: string): ReadonlySet<string> {
  return new Set(partsOf(template).flatMap(({ name }) => (name === undefined ? [] : [name])));
}

/** What a template may and must ask for. */
export interface Placeholders {
  readonly known: readonly string[];
  /** At least one of each group. */
  readonly required: readonly (readonly string[])[];
  /** What names of another form may begin with, such as `columns.`. */
  readonly prefixes?: readonly string[];
}

/** A template in which each of `names` stands at least once and nothing else is asked for. */
export function templateText(names: readonly string[]) {
  const asked = { known: names, required: names.map((name) => [name]) };
  return z.string().superRefine((text, context) => checkPlaceholders(text, asked, context));
}

/** Adds the issues of a template's text; `offset` in an issue's params is where in the text it stands. */
export function checkPlaceholders(
  text: string,
  asked: Placeholders,
  context: z.RefinementCtx,
  path: string[] = [],
): void {
  const { known, required, prefixes = [] } = asked;
  const found = new Set<string>();
  let unknown = 0;
  for (const match of text.matchAll(PLACEHOLDER)) {
    const name = match[1] ?? '';
    if (known.includes(name) || prefixes.some((prefix) => name.startsWith(prefix) && name.length > prefix.length)) {
      found.add(name);
      continue;
    }
    unknown++;
    const meant = nearest(name, known);
    const all = [...known, ...prefixes.map((prefix) => `${prefix}NAME`)];
    context.addIssue({
      code: 'custom',
      // An array each: what stands around a schema is put in front of its issues' paths in place.
      path: [...path],
      message: `unknown placeholder ${match[0]}`,
      params: {
        id: 'CJE-PLACEHOLDER',
        offset: match.index,
        width: match[0].length,
        hint:
          meant === undefined ? `known: ${all.map((each) => `{{${each}}}`).join(', ')}` : `did you mean {{${meant}}}?`,
      } satisfies IssueDetail,
    });
  }
  // What is unknown may have been meant to be what then is not there.
  for (const group of required) {
    if (group.some((name) => found.has(name)) || unknown > 0) continue;
    const [name = ''] = group;
    context.addIssue({
      code: 'custom',
      path: [...path],
      message: `the template lacks {{${name}}}`,
      params: { id: 'CJE-PLACEHOLDER', hint: `write {{${name}}} where the ${name} goes` } satisfies IssueDetail,
    });
  }
}
