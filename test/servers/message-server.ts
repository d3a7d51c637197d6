/** Messages on the server of `tokenizer-server.ts`, as vLLM answers them: with the ids of a prompt, and its log probabilities. */

import {
  type Answer,
  BOS,
  END,
  exactly,
  generate,
  isEnd,
  likeliestAlong,
  textsOf,
  tokenizer,
} from './tokenizer-server.ts';

export interface MessageWays {
  /** What the template does to an answer that it is given back. */
  readonly template?: 'as-given' | 'trims' | 'drops-thoughts' | 'ends-it';
  /** Where thoughts come: in the text, or in a field of their own. */
  readonly thoughts?: 'inline' | 'apart';
  readonly ids?: 'told' | 'none';
  /** Whether it counts tokens. */
  readonly usage?: 'told' | 'none';
  readonly promptLogprobs?: 'told' | 'none' | 'cached' | 'shifted' | 'scaled' | 'clamped';
}

interface MessageBody {
  readonly model?: unknown;
  readonly messages?: unknown;
  readonly max_tokens?: unknown;
  readonly temperature?: unknown;
  readonly logprobs?: unknown;
  readonly top_logprobs?: unknown;
  readonly return_token_ids?: unknown;
  readonly continue_final_message?: unknown;
  readonly prompt_logprobs?: unknown;
}

interface Said {
  readonly role: string;
  readonly content: string;
}

/** The ids of what the server's own template makes of messages; an open last message is an answer to go on with. */
export function idsOf(model: string, messages: readonly Said[], isOpen: boolean, ways: MessageWays = {}): number[] {
  const isOfChannels = model === 'channels';
  const [open, close] = isOfChannels
    ? [(role: string) => `<|start|>${role}`, '<|end|>']
    : [(role: string) => `<|header_start|>${role}<|header_end|>\n\n`, END];
  const turn = ({ role, content }: Said) => `${open(role)}${isOfChannels ? '<|message|>' : ''}${content}`;
  const asked = isOpen ? messages.slice(0, -1) : messages;
  const before = asked.map((message) => turn(message) + close).join('') + open('assistant');
  const text = isOpen ? before + rewritten(messages.at(-1)!.content, ways) : before;
  return [tokenizer.idOf(BOS), ...tokenizer.encode(text + (isOpen && ways.template === 'ends-it' ? END : ''))];
}

function rewritten(content: string, { template = 'as-given' }: MessageWays): string {
  if (template === 'trims') return content.trim();
  return template === 'drops-thoughts' ? content.replace(/^[\s\S]*<\/think>\s*/, '') : content;
}

export function answerMessages(body: MessageBody, draw: string, ways: MessageWays = {}): Answer {
  const model = String(body.model);
  const isOpen = body.continue_final_message === true;
  const sent = idsOf(model, body.messages as Said[], isOpen, ways);
  const made = generate(model, sent, Number(body.max_tokens), Number(body.temperature ?? 1), draw);
  const all = [...sent, ...made];
  const values = exactly(model, all);
  const shown = textsOf(all, 'replaced');
  const text = tokenizer.decode(made);
  const [, thoughts, answer] =
    ways.thoughts === 'apart' ? (/^(?:<think>)?([\s\S]*?)<\/think>\s*([\s\S]*)$/.exec(text) ?? []) : [];
  const likeliest = likeliestAlong(model, all, Number(body.top_logprobs ?? 0), 1);
  return {
    status: 200,
    body: {
      model,
      choices: [
        {
          index: 0,
          message:
            answer === undefined
              ? { role: 'assistant', content: text }
              : { role: 'assistant', content: answer, reasoning_content: thoughts },
          finish_reason: isEnd(made.at(-1)) ? 'stop' : 'length',
          logprobs:
            body.logprobs !== true
              ? null
              : {
                  content: made.map((_, at) => ({
                    token: shown[sent.length + at],
                    logprob: values[sent.length + at],
                    bytes: [...Buffer.from(shown[sent.length + at]!)],
                    top_logprobs: Object.values(likeliest[sent.length + at] ?? {}).map((logprob) => ({
                      token: '?',
                      logprob,
                    })),
                  })),
                },
          ...(body.return_token_ids === true && ways.ids !== 'none' ? { token_ids: made } : {}),
        },
      ],
      ...(body.return_token_ids === true && ways.ids !== 'none' ? { prompt_token_ids: sent } : {}),
      ...(body.prompt_logprobs === undefined || ways.promptLogprobs === 'none'
        ? {}
        : { prompt_logprobs: placesOf(model, sent, Number(body.prompt_logprobs), ways) }),
      ...(ways.usage === 'none' ? {} : { usage: { prompt_tokens: sent.length, completion_tokens: made.length } }),
    },
  };
}

function placesOf(model: string, ids: readonly number[], top: number, { promptLogprobs: way }: MessageWays) {
  const exact = exactly(model, ids);
  const likeliestAt = likeliestAlong(model, ids, top, 1);
  return ids.map((id, at) => {
    const value = way === 'shifted' ? exact[at + 1] : exact[at];
    if (at === 0 || (way === 'cached' && at < ids.length * 0.7)) return null;
    const logprob = way === 'scaled' ? 1.7 * Number(value) : way === 'clamped' && at % 9 === 5 ? -9999 : (value ?? -1);
    const likeliest = Object.entries(likeliestAt[at] ?? {}).map(([token, told]) => [
      token.slice('token_id:'.length),
      { logprob: told, rank: 1, decoded_token: '?' },
    ]);
    return {
      ...Object.fromEntries(likeliest),
      [String(id)]: { logprob, rank: 1, decoded_token: textsOf([id], 'replaced')[0] },
    };
  });
}
