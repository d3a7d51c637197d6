import { expect, it } from 'vitest';
import { keyCall } from '../../src/engine/keys.ts';
import { lookUp } from '../../src/replies/local.ts';
import { shared } from '../../src/replies/shared.ts';
import { newMeter } from '../../src/replies/source.ts';
import { memoryStore } from '../helpers/memory-store.ts';
import { toyRequest } from '../helpers/toy.ts';

const call = keyCall(toyRequest('one', 'a'));
const failure = { class: 'permanent', reason: 'refused', message: 'no' } as const;

it('a failure is that of the same request alone: another under the same key is none', async () => {
  const { calls } = memoryStore();
  await calls.putFailure(call.key, { request: call.text, failure, failedAt: 1, node: 'n' });
  expect(lookUp(calls, call)).toEqual({ type: 'failure', failure });
  await calls.putFailure(call.key, { request: `${call.text} `, failure, failedAt: 1, node: 'n' });
  expect(lookUp(calls, call)).toBeUndefined();
});

it('a call that is asked again is not brought from a shared cache, and any other is before it is bought', async () => {
  const { calls } = memoryStore();
  const brought: string[] = [];
  const bring = async (key: typeof call.key) => {
    brought.push(key);
    await calls.putFailure(key, { request: call.text, failure, failedAt: 1, node: 'n' });
    return true;
  };
  const source = shared(bring, calls, { get: async () => ({ type: 'waiting' }) });
  const asker = { node: 'n', meter: newMeter() };
  expect(await source.get(call, { ...asker, again: true })).toEqual({ type: 'waiting' });
  expect(brought).toEqual([]);
  expect(await source.get(call, asker)).toEqual({ type: 'failure', failure });
  expect(brought).toEqual([call.key]);
});
