/** Texts whose forcing is known to go wrong somewhere, each for a reason of its own. */

import type { ToyItem } from './made-up.ts';

export interface SampleRow extends ToyItem {
  readonly name: string;
}

/** The row that must come out right: everything else is read against it. */
export const BASE: SampleRow = {
  name: 'repeat',
  prompt: 'Repeat after me: the quick brown fox jumps over the lazy dog',
  response: 'the quick brown fox jumps over the lazy dog',
};

/** What no model finds likely. */
export const GIBBERISH: SampleRow = {
  name: 'gibberish',
  prompt: 'What is the capital of France?',
  response: 'vq zlorp 9kx wubbadoo trinq ffej uq xzzt',
};

/** Bytes of the long row's prompt: more than the short contexts that servers fall back to, 512 to 1,500 tokens. */
const LONG = 6_000;

export const ROWS: readonly SampleRow[] = [
  GIBBERISH,
  // Combining marks, joined emoji, scripts that tokenizers cut within a character.
  { name: 'unicode', prompt: 'Say hello in five scripts.', response: 'Ça va? 東京 👩‍👩‍👧 e\u0301 नमस्ते 𝒽𝒾' },
  { name: 'newline', prompt: 'Write yes on a line of its own.', response: '\n\nYes.\n' },
  { name: 'space', prompt: 'Is water wet?', response: ' yes' },
  { name: 'long', prompt: `${numbered(LONG)}\nHow does this text end?`, response: 'With a question.' },
];

/** A text of at least so many tokens, whatever the tokenizer: each of its numbers is at least one. */
export function overlong(tokens: number): SampleRow {
  const numbers = Array.from({ length: tokens }, (_, index) => index + 1).join(' ');
  return { name: 'overlong', prompt: `Count: ${numbers}`, response: 'Done.' };
}

function numbered(bytes: number): string {
  let text = '';
  for (let line = 1; text.length < bytes; line++) text += `Line ${line} of this text says that it is line ${line}.\n`;
  return text;
}

/** UTF-16 units of a model's own answer that are forced. */
export const OWN_UNITS = 400;

/** The model's own answer, as far as it is forced: cut between characters. */
export function ownAnswer(prompt: string, text: string): SampleRow {
  const cut = text.slice(0, OWN_UNITS).replace(/[\ud800-\udbff]$/, '');
  return { name: 'own answer', prompt, response: cut };
}
