/** Collects mistakes, so that all of them are reported at once, each of them once. */

import type { ProblemId } from '../core/catalogue.ts';
import { nearest, type Problem, ProblemError } from '../core/problem.ts';
import { placeOf, type Span } from './source.ts';

export type Facts = readonly (readonly [name: string, value: string])[];

export interface Details {
  readonly facts?: Facts;
  readonly hint?: string | undefined;
  /** The line may hold a credential: name the place, do not show it. */
  readonly secret?: boolean;
  /** The same at other places is this one mistake; what facts say of those is joined. */
  readonly everywhere?: boolean;
}

export class Problems {
  readonly #problems = new Map<string, Problem>();

  add(span: Span | undefined, id: ProblemId, headline: string, details: Details = {}): void {
    const { facts = [], hint, secret = false, everywhere = false } = details;
    const place = span === undefined ? undefined : placeOf(span, { excerpt: !secret });
    // Nodes of one stage share their text: the same mistake at the same place is one mistake.
    const identity = JSON.stringify(everywhere ? [headline] : [headline, place?.file, place?.line, place?.column]);
    const told = everywhere ? this.#problems.get(identity) : undefined;
    if (told !== undefined) this.#problems.set(identity, { ...told, facts: joined(told.facts ?? [], facts) });
    if (this.#problems.has(identity) || this.#isTold(headline, id, place)) return;
    this.#problems.set(identity, {
      id,
      headline,
      ...(facts.length > 0 ? { facts } : {}),
      ...(place === undefined ? {} : { place }),
      ...(hint === undefined ? {} : { hint }),
    });
  }

  /** A file that is read twice has a mistake twice, under a longer name and a shorter one: `prices.date`, `date`. */
  #isTold(headline: string, id: ProblemId, place: Problem['place']): boolean {
    const [name, rest] = namedIn(headline);
    if (name === undefined || place?.column === undefined) return false;
    return [...this.#problems.values()].some((other) => {
      if (other.id !== id || other.place?.file !== place.file) return false;
      if (other.place.line !== place.line || other.place.column !== place.column) return false;
      const [known, end] = namedIn(other.headline);
      return known !== undefined && end === rest && (known.endsWith(`.${name}`) || name.endsWith(`.${known}`));
    });
  }

  get count(): number {
    return this.#problems.size;
  }

  /** By file in the order in which files came up, then from top to bottom. @throws ProblemError if there are any. */
  throwAny(): void {
    if (this.#problems.size === 0) return;
    const list = [...this.#problems.values()];
    const files = [...new Set(list.map((problem) => problem.place?.file ?? ''))];
    const order = (problem: Problem) => files.indexOf(problem.place?.file ?? '');
    list.sort(
      (a, b) =>
        order(a) - order(b) ||
        (a.place?.line ?? 0) - (b.place?.line ?? 0) ||
        (a.place?.column ?? 0) - (b.place?.column ?? 0),
    );
    throw new ProblemError(list);
  }
}

/** Names that a fact lists before it ends by saying that there are more. */
const JOINED = 6;
const MORE = '…';

/** The values of facts by one name as a list. */
const joined = (facts: Facts, more: Facts): Facts =>
  facts.map(([name, value]) => {
    const other = more.find(([known]) => known === name)?.[1];
    const values = value.split(', ');
    if (other === undefined || values.includes(other) || values.at(-1) === MORE) return [name, value];
    return [name, `${value}, ${values.length < JOINED ? other : MORE}`];
  });

/** What a mistake is of, and what is said of it. */
function namedIn(headline: string): readonly [name: string | undefined, rest: string] {
  const [, name, rest = ''] = /^'([^']+)'(.*)$/s.exec(headline) ?? [];
  return [name, rest];
}

const SHOWN = 12;

/** `did you mean 'x'?`, else the names that there are. */
export function suggest(name: string, known: Iterable<string>, what: string): string {
  const names = [...known];
  const near = nearest(name, names);
  if (near !== undefined) return `Did you mean '${near}'?`;
  return names.length === 0 ? `There is no ${what} here at all.` : `Known: ${listed(names)}.`;
}

/** Names joined by commas, cut when there are too many to read. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN).join(', ');
  return names.length > SHOWN ? `${shown} and ${names.length - SHOWN} more` : shown;
}
