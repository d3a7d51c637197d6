/** What columns are called in tables where nothing names them: the first that is there counts. */

import { ID_FIELDS } from './prompt-source.ts';

/** The text of a prompt, … */
export const PROMPT_COLUMNS = [
  'prompt',
  'question',
  'instruction',
  'query',
  'user_prompt',
  'input',
  'problem',
  'messages',
  'conversation',
  'conversations',
] as const;
/** … a response, … */
export const RESPONSE_COLUMNS = ['response', 'answer', 'output', 'completion', 'generation'] as const;
/** … and the prompt's id. */
export const ID_COLUMNS: readonly string[] = ID_FIELDS;
