/** Events for machines: one JSON object a line, exactly as they are. */

import type { Listener } from '../core/events.ts';
import type { Sink } from './sink.ts';

/** What JSON lets through and a terminal may act upon; written as escapes, which stand for the same value. */
const UNSAFE = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

export function jsonListener(sink: Sink): Listener {
  return (event) => void sink.write(`${jsonText(event)}\n`);
}

/** One line of JSON that no terminal acts upon. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value).replace(
    UNSAFE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
