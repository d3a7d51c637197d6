/** The tokens that responses are made of: of each sentence, of what opens one, and of the lines between them. */

import { ALL_SENTENCES, firstWordOf } from './sentences.ts';
import type { Tokenizer } from './tokenizer.ts';

/** A sentence's first word has a space before it where it follows another on the line. */
export type OpenerForm = 'spaced' | 'bare';

export class SentenceTokens {
  readonly newline: number;
  readonly blankLine: number;
  /** How many tokens there are. */
  readonly size: number;
  /** The tokens of each sentence. The first depends on what is before it, see {@link openerOf}. */
  readonly words: readonly (readonly number[])[];
  readonly #sentenceOf = { spaced: new Map<number, number>(), bare: new Map<number, number>() };
  readonly #openers = { spaced: [] as number[], bare: [] as number[] };

  constructor(tokenizer: Tokenizer) {
    this.newline = tokenizer.encode('\n')[0]!;
    this.blankLine = tokenizer.idOf('\n\n');
    this.size = tokenizer.size;
    this.words = ALL_SENTENCES.map(({ text }) => tokenizer.encode(text));
    for (const [index, { text }] of ALL_SENTENCES.entries()) {
      const opener = firstWordOf(text);
      this.#add(index, 'bare', tokenizer.idOf(opener));
      this.#add(index, 'spaced', tokenizer.idOf(` ${opener}`));
    }
  }

  #add(sentence: number, form: OpenerForm, token: number): void {
    this.#openers[form].push(token);
    this.#sentenceOf[form].set(token, sentence);
  }

  /** The token that opens a sentence. */
  openerOf(sentence: number, form: OpenerForm): number {
    return this.#openers[form][sentence]!;
  }

  /** The sentence that a token opens; undefined where it opens none. */
  openedBy(token: number, form: OpenerForm): number | undefined {
    return this.#sentenceOf[form].get(token);
  }
}
