/** What the world knows of a prompt: the text that came, taken apart, and what its user's text amounts to. */

import { type ChatTemplate, chatTemplate, TEMPLATE_NAMES } from '../../teacher-forcing/templates.ts';
import { chanceOf, pick } from './chance.ts';
import type { WorldConfig } from './config.ts';
import { ALL_SENTENCES, TOPICS } from './sentences.ts';

/** What a prompt asks of a response; the same under every policy. */
export interface Task {
  readonly topic: number;
  /** 0 … difficulties − 1. */
  readonly difficulty: number;
  readonly sentences: number;
}

/** The task that a user's text sets, by its hash. White space around the text does not matter. */
export function taskOf(userText: string, { difficulties, sentences }: WorldConfig): Task {
  const chance = chanceOf(`task\n${userText.trim()}`);
  return {
    topic: pick(chance, TOPICS),
    difficulty: pick(chance, difficulties),
    sentences: sentences.fewest + pick(chance, sentences.most - sentences.fewest + 1),
  };
}

/** A text that was sent to `/completions`, as the world reads it. */
export interface ReadPrompt {
  /** The template that it was rendered with; undefined for bare text. */
  readonly template: ChatTemplate | undefined;
  /** Null where there is no system turn. */
  readonly system: string | null;
  readonly user: string;
  /** UTF-16 index at which the response begins, or would begin. */
  readonly responseFrom: number;
}

/** The system text that a template writes by itself, which is nobody's instruction. */
const PINNED_DATES = /^Cutting Knowledge Date: [^\n]*\nToday Date: [^\n]*\n\n/;

/**
 * Takes a sent text apart. A rendered chat ends its prompt at the last opening of an assistant's turn; bare text ends
 * where the first sentence of ours begins, for a model can tell what it said from what it was told.
 */
export function readPrompt(text: string): ReadPrompt {
  for (const name of TEMPLATE_NAMES) {
    const template = chatTemplate(name)!;
    const opening = template.open('assistant');
    const at = text.lastIndexOf(opening);
    if (at === -1) continue;
    const turns = text.slice(0, at);
    const user = lastTurn(turns, template, 'user');
    if (user === undefined) continue;
    const system = firstTurn(turns, template, 'system')?.replace(PINNED_DATES, '') ?? null;
    return { template, system: system === '' ? null : system, user, responseFrom: at + opening.length };
  }
  const responseFrom = firstSentence(text);
  return { template: undefined, system: null, user: text.slice(0, responseFrom), responseFrom };
}

function firstTurn(turns: string, template: ChatTemplate, role: 'system' | 'user'): string | undefined {
  const opening = template.open(role);
  const from = turns.indexOf(opening);
  if (from === -1) return undefined;
  const to = turns.indexOf(template.endOfTurn, from + opening.length);
  return turns.slice(from + opening.length, to === -1 ? turns.length : to);
}

function lastTurn(turns: string, template: ChatTemplate, role: 'system' | 'user'): string | undefined {
  const from = turns.lastIndexOf(template.open(role));
  return from === -1 ? undefined : firstTurn(turns.slice(from), template, role);
}

function firstSentence(text: string): number {
  let first = text.length;
  for (const { text: sentence } of ALL_SENTENCES) {
    const at = text.indexOf(sentence);
    if (at !== -1 && at < first) first = at;
  }
  return first;
}
