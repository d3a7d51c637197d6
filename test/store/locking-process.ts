/** Asks for the build lock and says what it got; keeps it until its stdin ends, or leaves without giving it back. */

import { writeSync } from 'node:fs';
import { openStore } from '../../src/store/store.ts';

const [folder, manner] = process.argv.slice(2) as [string, 'hold' | 'abandon'];
const store = openStore(folder);
const taken = await store.lock.acquire('cje build ablations');
writeSync(1, `${JSON.stringify(taken)}\n`);
if (manner === 'hold') {
  process.stdin.resume();
  await new Promise((resolve) => process.stdin.once('end', resolve));
  if (taken.ok) await store.lock.release();
}
await store.close();
