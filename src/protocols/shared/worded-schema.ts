/** A schema in words, for servers that hold a model to none: said at the end of what is asked. */

import { canonicalJson, type JsonObject } from '../../core/json.ts';
import type { Message } from '../../core/protocol.ts';

export function withSchemaInWords(messages: readonly Message[], schema: JsonObject): readonly Message[] {
  const last = messages.at(-1);
  if (last === undefined) return messages;
  const said = typeof last.content === 'string' ? last.content : last.content.text;
  const words = `Answer with nothing but one JSON object that this JSON schema describes:\n${canonicalJson(schema)}`;
  return [...messages.slice(0, -1), { role: last.role, content: `${said}\n\n${words}` }];
}
