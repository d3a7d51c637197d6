/** The verdicts that all protocols pass. */

import type { NoAnswer, Verdict } from '../../core/protocol.ts';

export const ANSWER: Verdict = { type: 'answer' };

export const noAnswer = (reason: NoAnswer, message: string): Verdict => ({ type: 'no-answer', reason, message });

/** The longest part of a server's or a model's message that is told. */
export const MESSAGE_LENGTH = 400;
