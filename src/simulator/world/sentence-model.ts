/**
 * The language of responses as a walk over tokens: at each point the distribution of the next token is known exactly.
 * A response is a newline or none, then the task's number of sentences, a blank line after every fourth.
 */

import { type Chance, pick, pickWeighted } from './chance.ts';
import type { WorldConfig } from './config.ts';
import type { Task } from './prompt.ts';
import { ALL_SENTENCES, firstWordOf, sentenceIndex, VARIANTS } from './sentences.ts';
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

export interface SentenceModel {
  /** P(token | what led to the point), without the uniform share. */
  probability(point: Point, token: number, law: LevelLaw): number;
  /** The point after a token, whatever its probability. */
  after(point: Point, token: number, law: LevelLaw): Point;
  /** Draws the next token; null ends the response. */
  draw(point: Point, law: LevelLaw, chance: Chance): number | null;
  /** All tokens of positive probability; their probabilities sum to 1 but at the end, where nothing follows. */
  support(point: Point, law: LevelLaw): number[];
  /** Log P(tokens) in nats with the uniform share in, as the servers' log probabilities have it. */
  logProbabilities(tokens: readonly number[], law: LevelLaw, from?: Point): number[];
}

export function createSentenceModel(
  tokenizer: Tokenizer,
  { leadingNewline, uniformShare }: WorldConfig,
): SentenceModel {
  const newline = tokenizer.encode('\n')[0]!;
  const blankLine = tokenizer.idOf('\n\n');
  /** Tokens of each sentence; the first is spaced or not, so it stands apart. */
  const words = ALL_SENTENCES.map(({ text }) => tokenizer.encode(text));
  const openers = { spaced: new Map<number, number>(), bare: new Map<number, number>() };
  const openerOf = { spaced: [] as number[], bare: [] as number[] };
  for (const [index, { text }] of ALL_SENTENCES.entries()) {
    const opener = firstWordOf(text);
    openerOf.bare[index] = tokenizer.idOf(opener);
    openerOf.spaced[index] = tokenizer.idOf(` ${opener}`);
    openers.bare.set(openerOf.bare[index], index);
    openers.spaced.set(openerOf.spaced[index], index);
  }

  const spacing = (point: Point): 'spaced' | 'bare' => (point.at === 'between' && point.spaced ? 'spaced' : 'bare');

  /** P(this token opens a sentence here). */
  function openerProbability(token: number, form: 'spaced' | 'bare', { task, levels }: LevelLaw): number {
    const index = openers[form].get(token);
    if (index === undefined) return 0;
    const { topic, level } = ALL_SENTENCES[index]!;
    return topic === task.topic ? levels[level]! / VARIANTS : 0;
  }

  function probability(point: Point, token: number, law: LevelLaw): number {
    switch (point.at) {
      case 'start':
        if (point.led) return openerProbability(token, 'bare', law);
        return token === newline ? leadingNewline : (1 - leadingNewline) * openerProbability(token, 'bare', law);
      case 'between':
        return openerProbability(token, spacing(point), law);
      case 'within':
        return words[point.index]![point.word] === token ? 1 : 0;
      case 'paragraph':
        return token === blankLine ? 1 : 0;
      case 'end':
      case 'lost':
        return 0;
    }
  }

  function finished(sentence: number, { task }: LevelLaw): Point {
    const next = sentence + 1;
    if (next >= task.sentences) return { at: 'end' };
    return next % PARAGRAPH === 0
      ? { at: 'paragraph', sentence: next }
      : { at: 'between', sentence: next, spaced: true };
  }

  function after(point: Point, token: number, law: LevelLaw): Point {
    if (!(probability(point, token, law) > 0)) return { at: 'lost' };
    switch (point.at) {
      case 'start':
      case 'between': {
        if (point.at === 'start' && token === newline) return { at: 'start', led: true };
        const sentence = point.at === 'start' ? 0 : point.sentence;
        const index = openers[spacing(point)].get(token)!;
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

  function draw(point: Point, law: LevelLaw, chance: Chance): number | null {
    switch (point.at) {
      case 'start':
        if (!point.led && chance() < leadingNewline) return newline;
        return drawOpener('bare', law, chance);
      case 'between':
        return drawOpener(spacing(point), law, chance);
      case 'within':
        return words[point.index]![point.word]!;
      case 'paragraph':
        return blankLine;
      case 'end':
      case 'lost':
        return null;
    }
  }

  function drawOpener(form: 'spaced' | 'bare', { task, levels }: LevelLaw, chance: Chance): number {
    const level = pickWeighted(chance, levels);
    return openerOf[form][sentenceIndex(task.topic, level, pick(chance, VARIANTS))]!;
  }

  return {
    probability,
    after,
    draw,
    support(point, law) {
      return Array.from({ length: tokenizer.size }, (_, token) => token).filter(
        (token) => probability(point, token, law) > 0,
      );
    },
    logProbabilities(tokens, law, from = START) {
      let point = from;
      return tokens.map((token) => {
        const exact = probability(point, token, law);
        point = after(point, token, law);
        return Math.log((1 - uniformShare) * exact + uniformShare / tokenizer.size);
      });
    },
  };
}
