/** Things to store; apart from the test support, so that processes of their own can load it. */

import { type Digest, digestText } from '../../src/core/digest.ts';
import type { Action, BuildRecord, StoredCall } from '../../src/core/storage.ts';

export function sampleCall(index: number): { key: Digest; call: StoredCall } {
  const request = `{"body":{"messages":[{"content":"Frage ${index}: „wie?“","role":"user"}]},"draw":"p0/${index}","v":1}`;
  const call: StoredCall = {
    request,
    raw: JSON.stringify({ choices: [{ message: { content: `Antwort ${index}\n☃ 🐢` } }], id: `r${index}` }),
    usage: { inputTokens: 10 + index, cachedInputTokens: 2, outputTokens: 5 },
    model: 'llama4-scout',
    identity: 'simulator:abc',
    cost: index % 7 === 0 ? null : index / 1e6,
    boughtAt: 1_760_000_000_000 + index,
    node: 'responses/p0',
  };
  return { key: digestText(request), call };
}

export function sampleAction(name: string): Action {
  return {
    key: digestText(name),
    kind: 'responses',
    outputs: { 'rows.jsonl': { digest: digestText(`${name} rows`), size: 12 } },
    summary: { items: 3, statuses: { ok: 2, refused: 1 }, calls: [] },
    parts: { params: { model: { temperature: 0.5 } }, inputs: ['a', null, 1e-9] },
    finishedAt: 1_760_000_000_000,
  };
}

export function sampleBuild(id: string): BuildRecord {
  return {
    id,
    startedAt: 1,
    finishedAt: 2,
    experiment: 'arena',
    profile: 'sim',
    targets: ['ablations'],
    exit: 0,
    totals: {
      nodes: { run: 1, cached: 0, failed: 0, refused: 0, skipped: 0 },
      calls: { bought: 3, cached: 0, failed: 0 },
      cost: { billed: 0.1, saved: 0, reproduce: null },
    },
    nodes: {
      prompts: {
        key: digestText(id),
        outcome: 'run',
        outputs: { 'rows.jsonl': { digest: digestText('rows'), size: 4 } },
        bought: 3,
        cost: 0.1,
      },
    },
  };
}
