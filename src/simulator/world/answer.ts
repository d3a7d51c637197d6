/** What the world answers to a request: a pure function of world, path, body and idempotency key. */

import { digestText } from '../../core/digest.ts';
import { canonicalJson, isJsonObject, type Json } from '../../core/json.ts';
import { chatReply } from './chat-reply.ts';
import { completionReply } from './completion-reply.ts';
import { MODELS } from './policy.ts';
import { type Call, errorReply, type Reply } from './reply.ts';
import type { World } from './world.ts';

/** @param key the `Idempotency-Key` header; '' without one: then equal bodies get equal answers. */
export function answer(world: World, path: string, body: unknown, key: string): Reply {
  if (!isJsonObject(body)) return errorReply(400, null, 'The body is not a JSON object.');
  const { model } = body;
  if (typeof model !== 'string') return errorReply(400, null, 'you must provide a model parameter');
  if (!MODELS.includes(model)) {
    return errorReply(404, 'model_not_found', `The model \`${model}\` does not exist. There are ${MODELS.join(', ')}.`);
  }
  const text = canonicalJson(body);
  const call: Call = { model, body, text, key, digest: digestText(`${key}\n${text}`) };
  switch (path) {
    case '/completions':
      return completionReply(world, call);
    case '/chat/completions':
      return chatReply(world, call);
    default:
      return errorReply(404, null, `There is no ${path}.`);
  }
}

/** The reply to `GET /models`. */
export function modelList(): Json {
  return { object: 'list', data: MODELS.map((id) => ({ id, object: 'model', created: 0, owned_by: 'simulator' })) };
}
