/** What a label is of: a text, whatever it is called. */

import { digestText } from '../core/digest.ts';
import { canonicalJson } from '../core/json.ts';
import type { ResponseRow } from './rows.ts';

/** Stands for prompt, response and draw: a label goes with it as long as all three are what they were. */
export function textDigest(row: Pick<ResponseRow, 'prompt' | 'messages' | 'response' | 'draw_index'>): string {
  const { prompt, messages, response, draw_index: draw = 0 } = row;
  return digestText(canonicalJson([messages === undefined ? prompt : [...messages], response ?? '', draw]));
}
