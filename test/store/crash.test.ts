import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { digestBytes } from '../../src/core/digest.ts';
import { sampleCall } from './sample.ts';
import { bundle, workshop } from './support.ts';

const { folder, open } = workshop();
let script: string;
beforeAll(async () => {
  script = await bundle('buying-process');
});

/** Runs the buyer until it has reported so many puts, kills it, and says which it had reported. */
async function buyUntilKilled(cache: string, first: number, reports: number): Promise<number[]> {
  const child = spawn(process.execPath, [script, cache, String(first)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  let text = '';
  let killed = false;
  for await (const chunk of child.stdout) {
    text += chunk;
    if (!killed && text.split('\n').length > reports) {
      child.kill('SIGKILL');
      killed = true;
    }
  }
  const [code, signal] = await exited;
  expect([code, signal]).toEqual([null, 'SIGKILL']);
  return text.split('\n').slice(0, -1).map(Number);
}

test('a killed writer loses nothing that it had reported, and damages nothing', async () => {
  const place = folder();
  const cache = join(place, '.cache');
  const reported: number[] = [];
  for (const [round, reports] of [1, 37, 500, 2000].entries()) {
    reported.push(...(await buyUntilKilled(cache, round * 1_000_000, reports)));
    const reader = open(place, { readOnly: true });
    for (const index of reported) {
      const { key, call } = sampleCall(index);
      expect(reader.calls.get(key)).toEqual(call);
    }
    let scanned = 0;
    for (const { value } of reader.calls.scan()) {
      expect(value).toBeDefined();
      scanned++;
    }
    expect(scanned).toBe(reader.calls.count());
    expect(scanned).toBeGreaterThanOrEqual(reported.length);
    for (const ref of reader.blobs.scan()) expect(digestBytes(reader.blobs.read(ref))).toBe(ref.digest);
    await reader.close();
  }
  expect(reported.length).toBeGreaterThan(2500);
  const store = open(place);
  const { key, call } = sampleCall(9_999_999);
  await store.calls.put(key, call);
  expect(store.calls.get(key)).toEqual(call);
});

test('a reader sees what another process writes while it writes', async () => {
  const place = folder();
  const reader = open(place, { readOnly: true });
  expect(reader.calls.count()).toBe(0);
  const child = spawn(process.execPath, [script, join(place, '.cache'), '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  let rest = '';
  let seen = 0;
  for await (const chunk of child.stdout) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop()!;
    // A read sees the state at its turn of the event loop.
    await new Promise((resolve) => setTimeout(resolve));
    for (const line of lines) {
      const { key, call } = sampleCall(Number(line));
      expect(reader.calls.get(key)).toEqual(call);
      seen++;
    }
    if (seen > 3000) child.kill('SIGKILL');
  }
  await exited;
  expect(seen).toBeGreaterThan(3000);
  expect(reader.calls.count()).toBeGreaterThanOrEqual(seen);
});
