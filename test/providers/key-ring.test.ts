import { describe, expect, it } from 'vitest';
import { type CommandResult, openKeyRing } from '../../src/providers/key-ring.ts';
import { provider } from './support.ts';

async function opened(...of: Parameters<typeof openKeyRing>) {
  const found = await openKeyRing(...of);
  if (!found.ok) throw new Error(found.failure.message);
  return found.ring;
}

describe('keys of variables', () => {
  const two = provider({ keyVariable: 'KEY_A', access: { fallbackKeys: ['KEY_B'] } });
  const secrets = (name: string) => ({ KEY_A: 'first-secret', KEY_B: 'second-secret' })[name];

  it('are used one after the other, and after the last there is none', async () => {
    const ring = await opened(two, secrets);
    expect(ring.current()).toBe('first-secret');
    expect(await ring.replace('first-secret')).toBe(true);
    expect(ring.current()).toBe('second-secret');
    // A call that was on its way under the first one is no word on the second.
    expect(await ring.replace('first-secret')).toBe(true);
    expect(ring.current()).toBe('second-secret');
    expect(await ring.replace('second-secret')).toBe(false);
    expect([ring.current(), ring.keys()]).toEqual(['second-secret', ['first-secret', 'second-secret']]);
  });
});

describe('keys of a command', () => {
  const commanded = provider({ access: { keyCommand: 'make-a-key' } });

  function printing(...outputs: readonly string[]) {
    const state = { runs: 0 };
    const run = async (): Promise<CommandResult> => {
      const output = outputs[state.runs++];
      return output === undefined ? { ok: false, reason: 'ended with status 1' } : { ok: true, output };
    };
    return { state, run };
  }

  it('are made anew once for all calls that are refused at once', async () => {
    const { state, run } = printing(' key-one\n', 'key-two');
    const ring = await opened(commanded, () => undefined, run);
    expect(ring.current()).toBe('key-one');
    expect(await Promise.all([ring.replace('key-one'), ring.replace('key-one')])).toEqual([true, true]);
    expect([ring.current(), state.runs]).toEqual(['key-two', 2]);
  });

  it('are of no use where the same one comes again, or none', async () => {
    const { run } = printing('key-one', 'key-one');
    const ring = await opened(commanded, () => undefined, run);
    expect(await ring.replace('key-one')).toBe(false);
    expect(await ring.replace('key-one')).toBe(false);
    expect([ring.current(), ring.keys()]).toEqual(['key-one', ['key-one']]);
  });

  it.each<[string, string, string]>([
    ['', 'no_key', 'printed nothing'],
    ['two words', 'bad_key', 'printed white space or characters that no key has'],
  ])('%j is none', async (output, reason, why) => {
    const found = await openKeyRing(commanded, () => undefined, printing(output).run);
    expect(found).toMatchObject({ ok: false, failure: { reason, message: expect.stringContaining(why) } });
  });
});
