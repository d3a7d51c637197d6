/** The prompts of a table in which one prompt may have many rows: the id that each row's prompt goes by. */

import { SourceError } from '../../core/kind.ts';
import type { Turn } from '../conversation.ts';
import { type SourceRecord, textIn, valueAt } from '../files/records.ts';
import { contentId } from '../prompt-ids.ts';
import { pythonStrip } from '../python-strip.ts';
import { ID_COLUMNS } from '../usual-columns.ts';
import { areWholeNumbers, wholeNumber } from '../whole-numbers.ts';

/** The parts of a table that ids are made of. */
interface Rows {
  readonly records: readonly SourceRecord[];
  readonly columns: readonly string[];
}
type Asked = (record: SourceRecord) => { readonly prompt: string; readonly turns?: readonly Turn[] } | undefined;

/** Of which an id is made: all turns, where they are more than the prompt. */
const keyOf = (asked: ReturnType<Asked>): string | undefined =>
  asked?.turns === undefined ? asked?.prompt : JSON.stringify(asked.turns);

interface PromptIds {
  /** The id of a row's prompt; undefined for a row with none and nothing to make one of. */
  readonly idOf: (record: SourceRecord) => string | undefined;
  /** Why a column that looks like one of ids is not taken for one; nothing where none is passed over. */
  readonly notes: readonly string[];
}

/**
 * Ids from the column that holds one for each prompt, else from the prompt's text, as kind `prompts` makes them.
 *
 * @param named the column that holds the ids, where it was told
 * @throws SourceError where that column names several prompts alike
 */
export function promptIdsOf(table: Rows, named: string | undefined, asked: Asked): PromptIds {
  const prompt = (record: SourceRecord) => {
    const text = keyOf(asked(record));
    return text === undefined ? undefined : pythonStrip(text);
  };
  const usual = ID_COLUMNS.filter((name) => table.columns.includes(name)).map((name) => ({
    name,
    ...look(table, name, prompt),
  }));
  const column = named ?? usual.find(({ any, alike, again }) => any && alike === undefined && !again)?.name;
  if (named !== undefined) refuseAlike(named, look(table, named, prompt).alike);
  const written = column === undefined ? [] : table.records.map(({ fields }) => textIn(valueAt(fields, column)));
  const whole = areWholeNumbers(written.filter((id) => id !== undefined));
  const passed = column === undefined ? usual.find(({ any, ofRows }) => any && !ofRows) : undefined;
  return {
    idOf: (record) => {
      const id = column === undefined ? undefined : textIn(valueAt(record.fields, column))?.trim();
      if (id !== undefined && id !== '') return whole ? wholeNumber(id) : id;
      const words = prompt(record) ?? '';
      return words === '' ? undefined : contentId(words);
    },
    notes: passed === undefined ? [] : [passedOver(passed)],
  };
}

/** What a column that may hold ids says of prompts, where the table tells them. */
interface Look {
  /** Whether any row has an id. */
  readonly any: boolean;
  /** Two rows of one id, whose prompts differ. */
  readonly alike: { readonly id: string; readonly rows: readonly [SourceRecord, SourceRecord] } | undefined;
  /** Whether a prompt has several ids. */
  readonly again: boolean;
  /** Whether every prompt has several and no id is there twice: one row a prompt and policy has an id of the row. */
  readonly ofRows: boolean;
}

function look({ records }: Rows, column: string, prompt: (record: SourceRecord) => string | undefined): Look {
  const first = new Map<string, { readonly text: string; readonly record: SourceRecord }>();
  const idsOf = new Map<string, Set<string>>();
  let any = false;
  let alike: Look['alike'];
  let rows = 0;
  for (const record of records) {
    const id = textIn(valueAt(record.fields, column))?.trim();
    if (id === undefined || id === '') continue;
    any = true;
    const text = prompt(record);
    if (text === undefined) continue;
    rows++;
    const known = first.get(id);
    if (known === undefined) first.set(id, { text, record });
    else if (known.text !== text) alike ??= { id, rows: [known.record, record] };
    idsOf.set(text, (idsOf.get(text) ?? new Set()).add(id));
  }
  const counts = [...idsOf.values()].map(({ size }) => size);
  const again = counts.some((count) => count > 1);
  return { any, alike, again, ofRows: rows > 0 && first.size === rows && counts.every((count) => count > 1) };
}

function passedOver({ name, alike }: Look & { readonly name: string }): string {
  const why =
    alike === undefined
      ? 'has several ids for one prompt'
      : `names several prompts alike (${JSON.stringify(alike.id)}: ${placesOf(alike.rows)})`;
  return `the column ${name} ${why}, so ids are made of the prompts themselves`;
}

function refuseAlike(column: string, alike: Look['alike']): void {
  if (alike === undefined) return;
  const { line } = alike.rows[1].at;
  throw new SourceError(`the column ${column} names several prompts alike: ${JSON.stringify(alike.id)}`, {
    ...(line === undefined ? {} : { line }),
    hint: `See ${placesOf(alike.rows)}. Give each prompt an id of its own, or leave \`prompt_id\` out of \`columns:\`: ids are then made of the prompts themselves.`,
  });
}

const placesOf = ([{ at: one }, { at: other }]: readonly [SourceRecord, SourceRecord]): string =>
  other.line === undefined ? `rows ${one.row + 1} and ${other.row + 1}` : `lines ${one.line} and ${other.line}`;
