/** Servers without log probabilities of a prompt, as they answer. */

import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { readListing } from '../../src/protocols/shared/listing.ts';
import { completionReply, modelRef, refuse, run, type Server, target } from './support.ts';

const one = (more: JsonObject, logprobs: JsonObject | null = null): Server => {
  return (request) => {
    const reply = completionReply(request);
    const [choice] = reply.choices as [JsonObject];
    return { ...reply, ...more, choices: [{ ...choice, logprobs }] };
  };
};
const entry = { content: [{ id: 1, token: 'x', bytes: [120], logprob: -0.1, top_logprobs: [] }] };
const refusesEcho =
  (message: string): Server =>
  (request) =>
    request.body.echo === true ? refuse(message) : completionReply(request);
const owned = (owner: string) => readListing({ data: [{ id: 'scout', owned_by: owner }] });

describe('a server that cannot be forced', () => {
  it.each<[string, Server, JsonObject, RegExp]>([
    ['llama.cpp’s refusal', refusesEcho('400 Only no echo is supported'), {}, /This is llama\.cpp's server/],
    ['llama.cpp’s one entry', one({ system_fingerprint: 'b4567-abcdef1' }, entry), {}, /This is llama\.cpp's server/],
    ['llama.cpp by its listing', one({}, entry), { owner: 'llamacpp' }, /This is llama\.cpp's server/],
    ['Ollama', one({ system_fingerprint: 'fp_ollama' }, entry), {}, /This is Ollama/],
    ['Ollama by its listing', one({}), { owner: 'library' }, /This is Ollama/],
    ['LM Studio', one({ stats: {} }), {}, /This is LM Studio/],
    ['TGI', one({ system_fingerprint: '3.0.1-sha-bb9095a' }), {}, /This is Text Generation Inference/],
    ['TGI’s refusal', refusesEcho('422 `max_new_tokens` must be strictly positive'), {}, /Text Generation Inference/],
  ])('is refused by its name: %s', (_, server, { owner }, detail) => {
    const listing = typeof owner === 'string' ? owned(owner) : undefined;
    const found = run(target(['completion', 'forcing']), server, { listing });
    expect(found.verdict).toBe('would-fail');
    expect(found.of('echo')[0]).toMatchObject({ status: 'failure', detail: expect.stringMatching(detail) });
    expect(found.of('echo')[0]?.hint).toMatch(/vLLM/);
  });

  it('is OpenAI by its address', () => {
    const ref = { ...modelRef(), identity: 'https://api.openai.com/v1' };
    const found = run(target(['forcing'], ref), refuse.bind(undefined, "400 'echo' is not supported"));
    expect(found.of('echo')[0]?.detail).toMatch(/This is OpenAI/);
  });

  it('fails its completions too where it renders them again', () => {
    const found = run(target(['completion']), one({ system_fingerprint: 'fp_ollama' }));
    expect(found.verdict).toBe('would-fail');
    expect(found.of('rendering')[0]?.detail).toMatch(/chat template around a prompt/);
    expect(run(target(['completion']), one({})).of('rendering')).toEqual([]);
  });
});
