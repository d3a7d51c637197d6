/** Tokens and their log probabilities, in each shape in which servers send them. */

import { z } from 'zod';
import type { EchoedTokens } from '../../core/protocol.ts';

const ids = z.array(z.number()).nullish();

/** The older shape, of lists side by side. */
const lists = z.object({
  tokens: z.array(z.string()),
  token_logprobs: z.array(z.number().nullable()),
  // What else stands there is no reason to refuse the reply.
  top_logprobs: z.array(z.record(z.string(), z.number()).nullable()).nullish().catch(null),
  token_ids: ids,
  text_offset: z.array(z.number()).nullish(),
});

/** The newer one, of one object a token. */
const content = z.object({
  content: z
    .array(
      z.object({
        token: z.string(),
        logprob: z.number().nullish(),
        bytes: z.array(z.int().min(0).max(255)).nullish(),
        token_id: z.int().nullish(),
        top_logprobs: z
          .array(z.object({ logprob: z.number() }))
          .nullish()
          .catch(null),
      }),
    )
    .min(1),
});

/** One of the two; a mistake is told of the one that was meant. */
export const tokenLogprobs = z.unknown().transform((sent, context) => {
  const isContent = typeof sent === 'object' && sent !== null && 'content' in sent && !('tokens' in sent);
  const parsed = (isContent ? content : lists).safeParse(sent);
  if (parsed.success) return parsed.data;
  for (const { path, message } of parsed.error.issues) {
    context.addIssue({ code: 'custom', path: [...path], message });
  }
  return z.NEVER;
});

/** The prompt's own part of a reply, where a server answers an echo in one instead of in the choice. */
export function separateEcho(prompt: unknown): z.infer<typeof tokenLogprobs> | undefined {
  if (!Array.isArray(prompt)) return undefined;
  const parsed = tokenLogprobs.safeParse((prompt[0] as { logprobs?: unknown } | undefined)?.logprobs);
  return parsed.success ? parsed.data : undefined;
}

const encoder = new TextEncoder();

/** Some servers tell the bytes of what they show, which say nothing of a token that is no text by itself. */
function isSpelledBy(bytes: readonly number[], token: string): boolean {
  const shown = encoder.encode(token);
  return shown.length === bytes.length && shown.every((byte, index) => byte === bytes[index]);
}

const TOKEN_ID = /^token_id:(\d+)$/;

export function tokensOf(sent: z.infer<typeof tokenLogprobs>): EchoedTokens {
  if ('content' in sent) {
    const entries = sent.content;
    const tokenIds = entries.flatMap(({ token_id: id }) => id ?? []);
    const hasBytes = entries.some(({ token, bytes }) => bytes && !isSpelledBy(bytes, token));
    return {
      tokens: entries.map(({ token }) => token),
      tokenLogprobs: entries.map(({ logprob }) => logprob ?? null),
      ...(tokenIds.length === entries.length ? { tokenIds } : {}),
      ...(hasBytes ? { tokenBytes: entries.map(({ bytes }) => bytes ?? null) } : {}),
      ...(entries.some(({ top_logprobs: top }) => top)
        ? { likeliest: entries.map(({ top_logprobs: top }) => top?.map(({ logprob }) => logprob) ?? null) }
        : {}),
    };
  }
  // Some servers, when told to, name each token by its id alone.
  const named = sent.tokens.flatMap((token) => TOKEN_ID.exec(token)?.[1] ?? []).map(Number);
  const tokenIds = sent.token_ids ?? (named.length === sent.tokens.length ? named : undefined);
  return {
    tokens: sent.tokens,
    tokenLogprobs: sent.token_logprobs,
    ...(tokenIds && tokenIds.length > 0 ? { tokenIds } : {}),
    ...(sent.text_offset ? { textOffset: sent.text_offset } : {}),
    ...(sent.top_logprobs ? { likeliest: sent.top_logprobs.map((top) => top && Object.values(top)) } : {}),
  };
}

/** True for tokens that are named by their ids, so that their texts are unknown. */
export const areNamedById = (tokens: readonly string[]): boolean =>
  tokens.length > 0 && tokens.every((token) => TOKEN_ID.test(token));
