/** The world put together: a tokenizer, a language, and the policies that speak it. */

import { type Chance, chanceOf } from './chance.ts';
import { DEFAULT_WORLD, type WorldConfig } from './config.ts';
import { leaningOf, levelLaw, PLAIN_SAMPLING, type Sampling } from './policy.ts';
import { type ReadPrompt, readPrompt, taskOf } from './prompt.ts';
import { type LevelLaw, type Point, SentenceModel, START } from './sentence-model.ts';
import { type Tokenizer, tokenizerOf } from './tokenizer.ts';

export interface World {
  readonly config: WorldConfig;
  readonly tokenizer: Tokenizer;
  readonly speech: SentenceModel;
  /** The law of responses of a model to a user's text under a system text (null: none). */
  law(model: string, system: string | null, userText: string, sampling?: Sampling): LevelLaw;
  /** A response drawn whole. */
  respond(law: LevelLaw, chance: Chance): string;
  /** Log P(response) in nats, the end not scored; what forcing the response must give. */
  logProbability(law: LevelLaw, response: string): number;
  /** Reads a sent text as token ids, or turns it into them as the server would. */
  read(prompt: string | readonly number[]): SentPrompt | undefined;
}

/** A prompt of `/completions` as the server holds it. */
export interface SentPrompt extends ReadPrompt {
  readonly text: string;
  readonly tokens: readonly number[];
  /** Index of the first token that lies wholly within the response. */
  readonly responseToken: number;
}

export function createWorld(config: WorldConfig = DEFAULT_WORLD): World {
  const tokenizer = tokenizerOf(config);
  const speech = new SentenceModel(tokenizer, config);

  return {
    config,
    tokenizer,
    speech,
    law(model, system, userText, sampling = PLAIN_SAMPLING) {
      const task = taskOf(userText, config);
      return { task, levels: levelLaw(leaningOf(model, system, config), task, config, sampling) };
    },
    respond(law, chance) {
      const tokens: number[] = [];
      let point: Point = START;
      for (let token = speech.draw(point, law, chance); token !== null; token = speech.draw(point, law, chance)) {
        tokens.push(token);
        point = speech.after(point, token, law);
      }
      return tokenizer.decode(tokens) ?? '';
    },
    logProbability(law, response) {
      return speech.logProbabilities(tokenizer.encode(response), law).reduce((sum, value) => sum + value, 0);
    },
    read(prompt) {
      const text = typeof prompt === 'string' ? prompt : tokenizer.decode(prompt);
      if (text === undefined) return undefined;
      const tokens = typeof prompt === 'string' ? tokenizer.encode(prompt) : prompt;
      const read = readPrompt(text);
      return { ...read, text, tokens, responseToken: tokenAt(tokenizer, tokens, text, read.responseFrom) };
    },
  };
}

/** The chance that belongs to a call: the same body under the same key draws the same. */
export const chanceOfCall = (body: string, key: string): Chance => chanceOf(`call\n${key}\n${body}`);

/** Index of the first token that begins at or after a UTF-16 position; tokens are counted in bytes, as they cut characters. */
function tokenAt(tokenizer: Tokenizer, tokens: readonly number[], text: string, position: number): number {
  const from = Buffer.byteLength(text.slice(0, position));
  let bytes = 0;
  let index = 0;
  for (; index < tokens.length && bytes < from; index++) bytes += tokenizer.bytes(tokens[index]!).length;
  return index;
}
