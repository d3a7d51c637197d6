/** What the store does a second on this machine: replies put and got, rows written and read. Prints one line each. */

import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, digestText } from '../../src/core/digest.ts';
import type { StoredCall } from '../../src/core/storage.ts';
import { openStore } from '../../src/store/store.ts';

const calls = Number(process.argv[2] ?? 50_000);
const rows = Number(process.argv[3] ?? 100_000);

const words = 'the quick brown fox jumps over the lazy dog and "quotes" it – naïvely\n'.repeat(10);

/** About 1.5 KB of request and reply together, as a short chat has. */
function call(index: number): { key: Digest; call: StoredCall } {
  const request = JSON.stringify({
    body: { messages: [{ content: `${index} ${words}`, role: 'user' }] },
    draw: 'p0',
    v: 1,
  });
  const raw = JSON.stringify({ choices: [{ message: { content: `${words} ${index}` } }], id: `cmpl-${index}` });
  const usage = { inputTokens: 100 + (index % 50), cachedInputTokens: 0, outputTokens: index % 512 };
  const identity = 'https://api.example.com/v1';
  const stored = {
    request,
    raw,
    usage,
    model: 'models/some-model',
    identity,
    cost: 1e-4,
    boughtAt: index,
    node: 'n/a',
  };
  return { key: digestText(request), call: stored };
}

function report(what: string, count: number, milliseconds: number, note = ''): void {
  const rate = Math.round((1000 * count) / milliseconds).toLocaleString('en');
  console.log(`${what.padEnd(34)} ${rate.padStart(10)}/s ${note}`);
}

const timed = async (action: () => unknown): Promise<number> => {
  const start = performance.now();
  await action();
  return performance.now() - start;
};

// In the working directory and not in /tmp, which may be memory.
const folder = mkdtempSync(join(process.cwd(), '.bench-store-'));
try {
  const store = openStore(folder);
  const samples = Array.from({ length: calls }, (_, index) => call(index));
  for (const concurrency of [1, 64, 1024]) {
    const count = concurrency === 1 ? Math.min(2000, calls) : calls;
    let next = 0;
    const buyer = async () => {
      while (next < count) {
        const { key, call } = samples[next++]!;
        await store.calls.put(key, call);
      }
    };
    const milliseconds = await timed(() => Promise.all(Array.from({ length: concurrency }, buyer)));
    report(`put, ${concurrency} in flight`, count, milliseconds);
  }
  const size = statSync(join(folder, 'lmdb', 'data.mdb')).size;
  for (const round of ['first', 'again']) {
    const milliseconds = await timed(() => {
      for (let index = 0; index < calls; index++) {
        const { key, call } = samples[(index * 7919) % calls]!;
        if (store.calls.get(key)!.raw.length !== call.raw.length) throw new Error('Internal error: not what was put');
      }
    });
    report(`get and decode, ${round}`, calls, milliseconds, `${Math.round(size / calls)} bytes of file a call`);
  }
  const absent = samples.map(({ key }) => key.split('').reverse().join('') as Digest);
  report('get what is absent', calls, await timed(() => absent.forEach((key) => void store.calls.get(key))));
  report('scan', calls, await timed(() => void [...store.calls.scan()].length));

  const line = (index: number) => ({
    prompt_id: `arena_${index}`,
    prompt: words,
    response: words,
    logprob: -index / 7,
  });
  let ref = { digest: digestText(''), size: 0 };
  const writing = await timed(async () => {
    const writer = store.blobs.writer();
    for (let index = 0; index < rows; index++) writer.write(`${JSON.stringify(line(index))}\n`);
    ref = await writer.finish();
  });
  report('rows written', rows, writing, `${Math.round(ref.size / 1e6)} MB`);
  for (const round of ['first', 'again']) {
    let count = 0;
    const reading = await timed(() => {
      for (const _ of store.blobs.rows(ref)) count++;
    });
    report(`rows read, ${round}`, count, reading, `${Math.round(ref.size / 1e3 / reading)} MB/s`);
  }
  await store.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
