/** Labels to the texts that they are of: by the text's digest, else by policy and prompt; averaged over raters. */

import { agreementOf, agreementText, krippendorffAlpha } from '../../stats/agreement.ts';
import { pythonStrip } from '../python-strip.ts';
import { drawName, type LabelRow, type ResponseRow } from '../rows.ts';
import { type Scale, scaleField } from '../scale.ts';
import { textDigest } from '../text-digest.ts';
import { rows } from './fields.ts';
import type { Rating } from './ratings.ts';

/** A response that may be labelled. */
export interface LabelTarget {
  readonly policy: string;
  readonly split: LabelRow['split'];
  readonly row: ResponseRow;
}

interface Matched {
  readonly labels: readonly LabelRow[];
  readonly notes: readonly string[];
  /** Ratings of which no text is here, whatever was asked for. */
  readonly unmatched: readonly Rating[];
}

/**
 * A label of a text that has changed is stale: counted, and not used. The texts come in their own order.
 *
 * @param ratings in the order of the file
 * @param scale that the file's labels were given on
 */
export function matchLabels(
  targets: readonly LabelTarget[],
  ratings: readonly Rating[],
  shown: string,
  scale?: Scale,
): Matched {
  const found = new Map<LabelTarget, Rating[]>();
  const stale: Rating[] = [];
  const unmatched: Rating[] = [];
  const index = indexOf(targets);
  for (const rating of ratings) {
    const { of, changed } = textsOf(rating, index);
    if (changed) stale.push(rating);
    else if (of.length === 0) unmatched.push(rating);
    for (const target of of) found.set(target, [...(found.get(target) ?? []), rating]);
  }
  const labels = targets.flatMap((target): LabelRow[] => {
    const given = found.get(target);
    if (given === undefined) return [];
    const { policy, split, row } = target;
    return [
      {
        policy,
        prompt_id: row.prompt_id,
        split,
        status: 'ok',
        label: given.reduce((sum, { label }) => sum + label, 0) / given.length,
        ...scaleField(scale),
        model: null,
        raters: given.length,
        text: textDigest(row),
        ...(row.draw_index === undefined ? {} : { draw_index: row.draw_index }),
      },
    ];
  });
  return { labels, unmatched, notes: notesOn({ found, stale, unmatched, shown }) };
}

interface Index {
  readonly byText: ReadonlyMap<string, readonly LabelTarget[]>;
  readonly byName: ReadonlyMap<string, LabelTarget>;
  readonly byWords: ReadonlyMap<string, readonly LabelTarget[]>;
}

const wordsKey = (prompt: string, response: string): string => `${pythonStrip(prompt)}\n\0${pythonStrip(response)}`;

function indexOf(targets: readonly LabelTarget[]): Index {
  const byText = new Map<string, LabelTarget[]>();
  const byWords = new Map<string, LabelTarget[]>();
  const byName = new Map<string, LabelTarget>();
  for (const target of targets) {
    const { policy, row } = target;
    push(byText, textDigest(row), target);
    push(byWords, wordsKey(row.prompt, row.response ?? ''), target);
    push(byWords, wordsKey(row.prompt_id, row.response ?? ''), target);
    byName.set(`${policy}\n${drawName(row.prompt_id, row.draw_index)}`, target);
    byName.set(`${policy}\n${drawName(pythonStrip(row.prompt), row.draw_index)}`, target);
  }
  return { byText, byWords, byName };
}

function push<T>(lists: Map<string, T[]>, key: string, entry: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [entry]);
  else list.push(entry);
}

/** The texts that a rating is of, or that the text it was of has changed. */
function textsOf(rating: Rating, { byText, byWords, byName }: Index) {
  const { textId, promptId, prompt, policy, response, draw } = rating;
  if (textId !== undefined) {
    const of = byText.get(textId) ?? [];
    return { of, changed: of.length === 0 };
  }
  if (policy !== undefined) {
    // Ids may be the file's own: its prompts then tell which is which.
    const names = [promptId, prompt === undefined ? undefined : pythonStrip(prompt)].filter(
      (name) => name !== undefined,
    );
    const target = names
      .map((name) => byName.get(`${policy}\n${drawName(name, draw)}`))
      .find((found) => found !== undefined);
    if (target === undefined) return { of: [], changed: false };
    const same = response === undefined || pythonStrip(response) === pythonStrip(target.row.response ?? '');
    return { of: same ? [target] : [], changed: !same };
  }
  const words = [promptId, prompt].map((name) => byWords.get(wordsKey(name ?? '', response ?? '')));
  return { of: words.find((found) => found !== undefined) ?? [], changed: false };
}

function notesOn({
  found,
  stale,
  unmatched,
  shown,
}: {
  readonly found: ReadonlyMap<LabelTarget, readonly Rating[]>;
  readonly stale: readonly Rating[];
  readonly unmatched: readonly Rating[];
  readonly shown: string;
}): string[] {
  const notes: string[] = [];
  if (stale.length > 0) {
    notes.push(`${labelsOf(stale.length)} stale and unused: the text has changed since (${linesOf(shown, stale)})`);
  }
  if (unmatched.length > 0) {
    notes.push(`${labelsOf(unmatched.length)} of no response here, unused (${linesOf(shown, unmatched)})`);
  }
  const several = [...found].filter(([, given]) => given.length > 1);
  if (several.length > 0) {
    const byPrompt = new Map<string, number[][]>();
    for (const [{ row }, given] of several)
      push(
        byPrompt,
        row.prompt_id,
        given.map(({ label }) => label),
      );
    const alpha = agreementOf(byPrompt, (prompts) => krippendorffAlpha(prompts.flat()));
    const told = alpha.value === null ? 'all the same' : `Krippendorff's α ${agreementText(alpha, '')}`;
    notes.push(`${rows(several.length).replace('row', 'text')} rated more than once, averaged; agreement: ${told}`);
  }
  return notes;
}

const labelsOf = (count: number): string => (count === 1 ? '1 label is' : `${count} labels are`);

const NAMED = 5;

function linesOf(shown: string, ratings: readonly Rating[]): string {
  const lines = [...new Set(ratings.map(({ line }) => line))];
  const more = lines.length > NAMED ? ', …' : '';
  return `${shown}:${lines.slice(0, NAMED).join(', ')}${more}`;
}
