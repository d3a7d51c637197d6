/** The prompts of a table in which one prompt may have many rows: the id that each row's prompt goes by. */

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

/**
 * The id of each row's prompt: from the column that holds one id for each prompt, else from the prompt's text, as kind
 * `prompts` makes it; undefined for a row with neither.
 */
export function promptIdsOf(
  table: Rows,
  named: string | undefined,
  asked: Asked,
): (record: SourceRecord) => string | undefined {
  const prompt = (record: SourceRecord) => keyOf(asked(record));
  const column = named ?? ID_COLUMNS.find((name) => table.columns.includes(name) && isOneId(table, name, prompt));
  const written = column === undefined ? [] : table.records.map(({ fields }) => textIn(valueAt(fields, column)));
  const whole = areWholeNumbers(written.filter((id) => id !== undefined));
  return (record) => {
    const id = column === undefined ? undefined : textIn(valueAt(record.fields, column))?.trim();
    if (id !== undefined && id !== '') return whole ? wholeNumber(id) : id;
    const text = prompt(record);
    const words = text === undefined ? '' : pythonStrip(text);
    return words === '' ? undefined : contentId(words);
  };
}

/** Whether each value of the column goes with one prompt, where the table tells prompts. */
function isOneId({ records }: Rows, column: string, prompt: (record: SourceRecord) => string | undefined): boolean {
  const promptOf = new Map<string, string>();
  const idOf = new Map<string, string>();
  let any = false;
  for (const record of records) {
    const id = textIn(valueAt(record.fields, column));
    if (id === undefined) continue;
    any = true;
    const text = prompt(record);
    if (text === undefined) continue;
    // One row a prompt and policy has an id of the row, not of the prompt: two ids for one prompt.
    if ((promptOf.get(id) ?? text) !== text || (idOf.get(text) ?? id) !== id) return false;
    promptOf.set(id, text);
    idOf.set(text, id);
  }
  return any;
}
