/** Which model answered: whether the name in a reply is that of the model that was asked. */

import type { CallTally, ServedName } from './summary.ts';

/** What the provider file says of the names under which one of its models may answer. It enters no key. */
export interface ServedModel {
  readonly identity: string;
  /** The name under which the provider knows it: what is asked for. */
  readonly model: string;
  /** Further names that are this model. */
  readonly answersAs: readonly string[];
  /** What becomes of a reply of another model: `refuse` makes it a failure, `note` takes it and says so. */
  readonly mismatch: 'refuse' | 'note';
  /** Two served snapshots in one node are a failure of the node. */
  readonly oneSnapshot: boolean;
}

/** Finds the rule for a model; undefined where its provider file says nothing of names. */
export function ruleOf(
  rules: readonly ServedModel[] | undefined,
  identity: string,
  model: string,
): ServedModel | undefined {
  return rules?.find((rule) => rule.identity === identity && rule.model === model);
}

/** A name taken apart. */
interface Parts {
  /** What stands before the last slash, by its slashes. */
  readonly owners: readonly string[];
  readonly base: string;
  /** Empty where the name carries none. */
  readonly date: string;
}

const MONTH = '(?:0[1-9]|1[0-2])';
const DAY = '(?:0[1-9]|[12]\\d|3[01])';
/** `2026-01-01`, `2026-01`, `20260101`, and the short forms: `0613` for a day of a year, `2407` for a month. */
const DATE = new RegExp(`[-@](20\\d\\d-${MONTH}(?:-${DAY})?|20\\d\\d${MONTH}${DAY}|${MONTH}${DAY}|2\\d${MONTH})$`);

function partsOf(name: string): Parts {
  const owners = name.trim().toLowerCase().split('/');
  const last = (owners.pop() ?? '').replace(/:latest$/, '');
  const date = DATE.exec(last);
  if (date === null || date.index === 0) return { owners, base: last, date: '' };
  return { owners, base: last.slice(0, date.index), date: date[1]! };
}

/**
 * Whether two names are of one model: whatever their case, with or without who owns it, `:latest` or the date of a
 * snapshot. Two different dates are two models, and so are two different owners.
 */
function isSameModel(asked: string, served: string): boolean {
  if (asked === served) return true;
  const [a, b] = [partsOf(asked), partsOf(served)];
  if (a.base !== b.base || (a.date !== '' && b.date !== '' && a.date !== b.date)) return false;
  const [short, long] = a.owners.length < b.owners.length ? [a.owners, b.owners] : [b.owners, a.owners];
  return short.every((owner, index) => owner === long[long.length - short.length + index]);
}

/** Whether a reply under this name is of the model that was asked, or of one that its rule lists. */
export function isExpected(asked: string, served: string, rule: Pick<ServedModel, 'answersAs'> | undefined): boolean {
  return isSameModel(asked, served) || isListed(served, rule);
}

/** Whether a reply under this name is taken for one of the model that was asked; one without a name is. */
export const isAccepted = (asked: string, served: string | undefined, rule: ServedModel | undefined): boolean =>
  served === undefined || rule?.mismatch === 'note' || isExpected(asked, served, rule);

const isListed = (served: string, rule: Pick<ServedModel, 'answersAs'> | undefined): boolean =>
  (rule?.answersAs ?? []).some((name) => isSameModel(name, served));

export const wrongModelText = (asked: string, served: string): string =>
  `the reply says ${servedName(served)}, asked for ${asked}`;

/** The longest name that is told: a server can say anything. */
const NAME_LENGTH = 200;

/** A name as it is told and counted. */
export const servedName = (name: string): string =>
  name.length <= NAME_LENGTH ? name : `${name.slice(0, NAME_LENGTH).replace(/[\ud800-\udbff]$/, '')}…`;

/** Replies behind a tally, those that were refused for their model among them. */
const repliesOf = ({ calls, served = [] }: CallTally): number =>
  calls + served.reduce((sum, { refused = 0 }) => sum + refused, 0);

/** The names of a tally that are not those of the model that was asked. */
const othersIn = (tally: CallTally, rule: ServedModel | undefined): readonly ServedName[] =>
  (tally.served ?? []).filter(({ name }) => !isExpected(tally.model, name, rule));

/**
 * The snapshots whose replies stand behind a tally's rows: names that differ by more than their spelling. One that the
 * provider file lists is the model itself.
 */
export function snapshotsIn({ served = [] }: CallTally, rule: ServedModel | undefined): readonly ServedName[] {
  const found = new Map<string, ServedName>();
  for (const entry of served) {
    if (entry.replies - (entry.refused ?? 0) <= 0 || isListed(entry.name, rule)) continue;
    const { base, date } = partsOf(entry.name);
    const id = `${base}@${date}`;
    const known = found.get(id);
    found.set(id, known === undefined ? entry : { ...known, replies: known.replies + entry.replies });
  }
  return [...found.values()];
}

/** `20 of 40 replies say cheap-mini-q4, asked h-scout`; undefined where all say what was asked, or nothing. */
export function servedText(tally: CallTally): string | undefined {
  const others = (tally.served ?? []).filter(({ name }) => name !== tally.model);
  if (others.length === 0) return undefined;
  const said = others.map(({ name, replies, refused = 0 }, index) => {
    const who = index === 0 ? `${replies} of ${repliesOf(tally)} replies say` : `${replies} say`;
    const note = refused === 0 ? '' : refused === replies ? ' (refused)' : ` (${refused} of them refused)`;
    return `${who} ${name}${note}`;
  });
  return `${said.join(', ')}, asked ${tally.model}`;
}

/** What a note says of a node whose replies are not all of the model that was asked, or of one snapshot of it. */
export function mixedText(tally: CallTally, rule: ServedModel | undefined): string | undefined {
  const text = servedText(tally);
  if (text === undefined) return undefined;
  if (othersIn(tally, rule).length > 0) return text;
  return snapshotsIn(tally, rule).length > 1 ? `${text}: answers of several snapshots are mixed` : undefined;
}
