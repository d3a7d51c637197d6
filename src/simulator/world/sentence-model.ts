/**
 * The language of responses as a walk over tokens: at each point the distribution of the next token is known exactly.
 * A response is a newline or none, then the task's number of sentences, a blank line after every fourth.
 */

import { type Chance, pick, pickWeighted } from './chance.ts';
import type { WorldConfig } from './config.ts';
import type { Task } from './prompt.ts';
import { type OpenerForm, SentenceTokens } from './sentence-tokens.ts';
import { ALL_SENTENCES, sentenceIndex, VARIANTS } from './sentences.ts';
import type { Tokenizer } from './tokenizer.ts';

/** Sentences of a paragraph. */
const PARAGRAPH = 4;

/** What decides a response: its task, and P(level) of each sentence. */
export interface LevelLaw {
  readonly task: Task;
  readonly levels: readonly number[];
}

/** Where a walk stands. */
export type Point =
  /** Before the first sentence; `led` once the opening newline is there. */
  | { readonly at: 'start'; readonly led: boolean }
  /** Before the given sentence, counted from 0; `spaced` when it follows another on the line. */
  | { readonly at: 'between'; readonly sentence: number; readonly spaced: boolean }
  /** Within a sentence, before its given word, which is not the first. */
  | { readonly at: 'within'; readonly sentence: number; readonly index: number; readonly word: number }
  /** Before the blank line that precedes the given sentence. */
  | { readonly at: 'paragraph'; readonly sentence: number }
  | { readonly at: 'end' }
  /** Off the language: nothing that follows was ever said. */
  | { readonly at: 'lost' };

export const START: Point = { at: 'start', led: false };

export class SentenceModel {
  readonly #tokens: SentenceTokens;
  readonly #leadingNewline: number;
  readonly #uniformShare: number;

  constructor(tokenizer: Tokenizer, { leadingNewline, uniformShare }: WorldConfig) {
    this.#tokens = new SentenceTokens(tokenizer);
    this.#leadingNewline = leadingNewline;
    this.#uniformShare = uniformShare;
  }

  /** P(token | what led to the point), without the uniform share. */
  probability(point: Point, token: number, law: LevelLaw): number {
    const { newline, blankLine, words } = this.#tokens;
    switch (point.at) {
      case 'start': {
        if (point.led) return this.#openerProbability(token, 'bare', law);
        const led = this.#leadingNewline;
        return token === newline ? led : (1 - led) * this.#openerProbability(token, 'bare', law);
      }
      case 'between':
        return this.#openerProbability(token, spacing(point), law);
      case 'within':
        return words[point.index]![point.word] === token ? 1 : 0;
      case 'paragraph':
        return token === blankLine ? 1 : 0;
      case 'end':
      case 'lost':
        return 0;
    }
  }

  /** The point after a token, whatever its probability. */
  after(point: Point, token: number, law: LevelLaw): Point {
    if (!(this.probability(point, token, law) > 0)) return { at: 'lost' };
    const { newline, words } = this.#tokens;
    switch (point.at) {
      case 'start':
      case 'between': {
        if (point.at === 'start' && token === newline) return { at: 'start', led: true };
        const sentence = point.at === 'start' ? 0 : point.sentence;
        const index = this.#tokens.openedBy(token, spacing(point))!;
        return { at: 'within', sentence, index, word: 1 };
      }
      case 'within': {
        const word = point.word + 1;
        const { sentence, index } = point;
        return word < words[index]!.length ? { at: 'within', sentence, index, word } : finished(sentence, law);
      }
      case 'paragraph':
        return { at: 'between', sentence: point.sentence, spaced: false };
      case 'end':
      case 'lost':
        return { at: 'lost' };
    }
  }

  /** Draws the next token; null ends the response. */
  draw(point: Point, law: LevelLaw, chance: Chance): number | null {
    const { newline, blankLine, words } = this.#tokens;
    switch (point.at) {
      case 'start':
        if (!point.led && chance() < this.#leadingNewline) return newline;
        return this.#drawOpener('bare', law, chance);
      case 'between':
        return this.#drawOpener(spacing(point), law, chance);
      case 'within':
        return words[point.index]![point.word]!;
      case 'paragraph':
        return blankLine;
      case 'end':
      case 'lost':
        return null;
    }
  }

  /** All tokens of positive probability; their probabilities sum to 1 but at the end, where nothing follows. */
  support(point: Point, law: LevelLaw): number[] {
    return Array.from({ length: this.#tokens.size }, (_, token) => token).filter(
      (token) => this.probability(point, token, law) > 0,
    );
  }

  /** Log P(tokens) in nats with the uniform share in, as the servers' log probabilities have it. */
  logProbabilities(tokens: readonly number[], law: LevelLaw, from: Point = START): number[] {
    let point = from;
    const uniform = this.#uniformShare;
    return tokens.map((token) => {
      const exact = this.probability(point, token, law);
      point = this.after(point, token, law);
      return Math.log((1 - uniform) * exact + uniform / this.#tokens.size);
    });
  }

  /** P(this token opens a sentence here). */
  #openerProbability(token: number, form: OpenerForm, { task, levels }: LevelLaw): number {
    const index = this.#tokens.openedBy(token, form);
    if (index === undefined) return 0;
    const { topic, level } = ALL_SENTENCES[index]!;
    return topic === task.topic ? levels[level]! / VARIANTS : 0;
  }

  #drawOpener(form: OpenerForm, { task, levels }: LevelLaw, chance: Chance): number {
    const level = pickWeighted(chance, levels);
    return this.#tokens.openerOf(sentenceIndex(task.topic, level, pick(chance, VARIANTS)), form);
  }
}

const spacing = (point: Point): OpenerForm => (point.at === 'between' && point.spaced ? 'spaced' : 'bare');

/** Where a walk stands behind the given sentence. */
function finished(sentence: number, { task }: LevelLaw): Point {
  const next = sentence + 1;
  if (next >= task.sentences) return { at: 'end' };
  return next % PARAGRAPH === 0 ? { at: 'paragraph', sentence: next } : { at: 'between', sentence: next, spaced: true };
}
