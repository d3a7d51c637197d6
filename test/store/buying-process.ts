/** Puts calls until it is killed; writes the number of each to stdout once its put has resolved. */

import { writeSync } from 'node:fs';
import { openStore } from '../../src/store/store.ts';
import { sampleCall } from './sample.ts';

const [folder, first] = process.argv.slice(2) as [string, string];
const store = openStore(folder);
let next = Number(first);
const buyer = async () => {
  for (;;) {
    const index = next++;
    const { key, call } = sampleCall(index);
    await store.calls.put(key, call);
    writeSync(1, `${index}\n`);
    if (index % 10 === 0) await store.blobs.put(`${call.raw}\n`.repeat(200));
  }
};
await Promise.all(Array.from({ length: 16 }, buyer));
