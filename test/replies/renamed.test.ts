/** A reply of another model that was refused, and is taken once the provider file lists that name. */

import { describe, expect, it } from 'vitest';
import type { ServedModel } from '../../src/core/served-model.ts';
import { keyCall } from '../../src/engine/keys.ts';
import { protocolAt } from '../../src/protocols/index.ts';
import { withRenamed } from '../../src/replies/renamed.ts';
import { memoryStore } from '../helpers/memory-store.ts';
import { toyRequest } from '../helpers/toy.ts';

const CALL = keyCall(toyRequest('one', 'a'));
const RAW = JSON.stringify({
  model: 'macaw',
  choices: [{ text: 'hi' }],
  usage: { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10 },
});
const USAGE = { inputTokens: 7, cachedInputTokens: 0, outputTokens: 3 };
const rule = (more: Partial<ServedModel>): ServedModel => ({
  identity: 'toy',
  model: 'parrot',
  answersAs: ['macaw'],
  mismatch: 'refuse',
  oneSnapshot: false,
  ...more,
});

async function refused({ rules = [rule({})], cost = 0.5 as number | null, raw = RAW, reason = 'wrong_model' } = {}) {
  const { calls } = memoryStore();
  const failure = { class: 'permanent', reason: reason as 'wrong_model', message: 'macaw answered' } as const;
  const billed = cost === null ? {} : { cost };
  const kept = { request: CALL.text, failure, failedAt: 9, node: 'n', raw, ...billed };
  await calls.putFailure(CALL.key, kept);
  return { calls: withRenamed(calls, rules, protocolAt), kept };
}

describe('a refused reply', () => {
  it('is one of the model that was asked, as it was billed, under a name that is listed', async () => {
    const { calls } = await refused();
    const reply = { request: CALL.text, raw: RAW, usage: USAGE, model: 'parrot', identity: 'toy', cost: 0.5 };
    expect(calls.get(CALL.key)).toEqual({ ...reply, boughtAt: 9, node: 'n' });
    expect(calls.find(CALL)).toEqual(calls.get(CALL.key));
    expect(calls.find({ ...CALL, text: 'of other bytes' } as never)).toBeUndefined();
    expect([calls.failure(CALL.key), [...calls.scanFailures()]]).toEqual([undefined, []]);
  });

  it('has no cost that nobody told', async () => {
    const { calls } = await refused({ cost: null });
    expect(calls.get(CALL.key)?.cost).toBeNull();
  });

  it.each<[string, Parameters<typeof refused>[0]]>([
    ['a name that is not listed', { rules: [rule({ answersAs: ['crow'] })] }],
    ['a name that is listed for another model', { rules: [rule({ model: 'crow' })] }],
    ['a name that is listed at another provider', { rules: [rule({ identity: 'zoo' })] }],
    ['a refusal for another reason', { reason: 'malformed_reply' }],
    ['a reply without a usage', { raw: '{"model":"macaw"}' }],
    ['a reply that is no JSON', { raw: 'macaw' }],
    ['no rule at all', { rules: [] }],
  ])('stays a failure: %s', async (_, given) => {
    const { calls, kept } = await refused(given);
    expect([calls.get(CALL.key), calls.find(CALL)]).toEqual([undefined, undefined]);
    expect(calls.failure(CALL.key)).toEqual(kept);
    expect([...calls.scanFailures()]).toHaveLength(1);
  });

  it('is as good under any name where a mismatch is to be taken', async () => {
    const { calls } = await refused({ rules: [rule({ answersAs: [], mismatch: 'note' })] });
    expect(calls.get(CALL.key)).toMatchObject({ model: 'parrot', cost: 0.5 });
  });

  it('is behind a reply that was bought since', async () => {
    const { calls } = await refused();
    const bought = { request: CALL.text, raw: '{"text":"own"}', usage: USAGE, model: 'parrot', identity: 'toy' };
    await calls.put(CALL.key, { ...bought, cost: 1, boughtAt: 10, node: 'n' });
    expect([calls.get(CALL.key)?.raw, calls.find(CALL)?.raw]).toEqual(['{"text":"own"}', '{"text":"own"}']);
  });
});
