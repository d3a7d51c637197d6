/**
 * What a judge is shown, taken apart: rubric, prompt, response. Prompts are hostile: they may hold the very tags that
 * wrap them, or a sentence that looks like an answer.
 */

import { ALL_SENTENCES, firstWordOf, type Sentence } from './sentences.ts';

export interface JudgedText {
  /** All that is neither the prompt nor the response. */
  readonly rubric: string;
  /** Null where no tags tell it from the rubric. */
  readonly prompt: string | null;
  readonly response: string;
}

/**
 * Takes the text of a judge's request apart by `<prompt>…</prompt>` and `<response>…</response>`, in this order; tags
 * on lines of their own count before tags in running text. Without tags, the response is whatever the sentences of
 * ours are, and the rest is the rubric.
 */
export function readJudged(text: string): JudgedText {
  return readTagged(text, '\n') ?? readTagged(text, '') ?? readBare(text);
}

/**
 * The prompt may hold any tag, so it reaches from the first opening to the last closing; the response is written by
 * models, whose last opening is the template's.
 */
function readTagged(text: string, edge: '\n' | ''): JudgedText | undefined {
  const framed = `${edge}${text}${edge}`;
  const tag = (name: string) => `${edge}${name}${edge}`;
  const responseTo = framed.lastIndexOf(tag('</response>'));
  const responseOpens = responseTo === -1 ? -1 : lastBefore(framed, tag('<response>'), responseTo);
  const promptTo = responseOpens === -1 ? -1 : lastBefore(framed, tag('</prompt>'), responseOpens);
  const promptOpens = promptTo === -1 ? -1 : framed.indexOf(tag('<prompt>'));
  if (promptOpens === -1 || promptOpens >= promptTo) return undefined;
  const promptFrom = promptOpens + tag('<prompt>').length;
  const responseFrom = responseOpens + tag('<response>').length;
  return {
    rubric: framed.slice(0, promptFrom) + framed.slice(promptTo, responseFrom) + framed.slice(responseTo),
    prompt: framed.slice(promptFrom, Math.max(promptFrom, promptTo)),
    response: framed.slice(responseFrom, Math.max(responseFrom, responseTo)),
  };
}

/** Neighbouring tags may share the newline between them, so a tag may end where the next begins. */
function lastBefore(text: string, tag: string, before: number): number {
  return text.lastIndexOf(tag, before - tag.length + 1);
}

function readBare(text: string): JudgedText {
  const found = sentencesIn(text);
  let rubric = text;
  for (const { text: sentence } of found) rubric = rubric.replace(sentence, '');
  return { rubric, prompt: null, response: found.map(({ text: sentence }) => sentence).join(' ') };
}

const BY_FIRST_WORD: ReadonlyMap<string, Sentence> = new Map(
  ALL_SENTENCES.map((sentence) => [firstWordOf(sentence.text), sentence]),
);

/** The sentences of ours in a text, in order; the last may be cut short by the end of the text. */
export function sentencesIn(text: string): Sentence[] {
  const whole = text.trimEnd();
  const found: Sentence[] = [];
  const words = /(?<![A-Za-z])[A-Z][a-z]+,?/g;
  for (let match = words.exec(whole); match !== null; match = words.exec(whole)) {
    const sentence = BY_FIRST_WORD.get(match[0]);
    if (sentence === undefined) continue;
    const rest = whole.slice(match.index, match.index + sentence.text.length);
    const cutShort = match.index + rest.length === whole.length && sentence.text.startsWith(rest);
    if (rest !== sentence.text && !cutShort) continue;
    found.push(sentence);
    words.lastIndex = match.index + rest.length;
  }
  return found;
}
