import { describe, expect, it } from 'vitest';
import type { StoredCall } from '../../src/core/storage.ts';
import { Intents } from '../../src/replies/intents.ts';
import { collect } from '../../src/store/upkeep/collect.ts';
import { spentBefore } from '../../src/team/spent-before.ts';
import { sampleBuild, sampleCall } from '../store/sample.ts';
import { workshop } from '../store/support.ts';

const { folder, open } = workshop();

const NO = { class: 'permanent', reason: 'rejected', message: 'no' } as const;

/** An answer for four dollars and one for nobody knows what of eight, a failure for two, and one that cost one before. */
async function cache() {
  const store = open(folder());
  const put = async (index: number, more: Partial<StoredCall>) => {
    const { key, call } = sampleCall(index);
    await store.calls.put(key, { ...call, ...more });
    return key;
  };
  await put(1, { cost: 4 });
  await put(2, { cost: null, reserved: 8 });
  const failed = sampleCall(3);
  const failure = { request: failed.call.request, failure: NO, failedAt: 5, node: 'n' };
  await store.calls.putFailure(failed.key, { ...failure, cost: 2 });
  const again = await put(4, { cost: 1 });
  await store.calls.supersede(again);
  return store;
}

describe('the books of a till begin with', () => {
  it('nothing where nothing was bought', () => {
    expect(spentBefore(open(folder()))).toEqual({ spent: 0, unknown: 0 });
  });

  it('what answers, failures and answers that were asked anew have cost', async () => {
    expect(spentBefore(await cache())).toEqual({ spent: 7, unknown: 8 });
  });

  it('the tries that earlier tills left behind, but for those that were answered', async () => {
    const store = await cache();
    const intents = new Intents(store.intents, () => 20);
    const intent = { identity: 'i', model: 'm', node: 'n' };
    await intents.open({ ...intent, call: sampleCall(7).key, dollars: 16 });
    await intents.open({ ...intent, call: sampleCall(1).key, dollars: 32 });
    const { key, call } = sampleCall(1);
    await store.calls.put(key, { ...call, cost: 4, boughtAt: 20 });
    expect(spentBefore(store)).toEqual({ spent: 7, unknown: 24 });
  });

  it('the same once what was bought is removed from the cache', async () => {
    const store = await cache();
    await store.builds.put(sampleBuild('20260101-000000-000-aaaa'));
    const before = spentBefore(store);
    await collect(store, { keepBuilds: 0, maxBytes: undefined, dryRun: false });
    expect(store.calls.count()).toBe(0);
    expect(spentBefore(store)).toEqual(before);
  });
});
