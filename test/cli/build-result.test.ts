/** Where the outputs are of a build without a report: a line for each stage, as many as a screen holds. */

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildResult } from '../../src/terminal/build-result.ts';

/** Of a build of so many stages, each of one node with an item. */
function linesOf(stages: number): string[] {
  const targets = Array.from({ length: stages }, (_, index) => `stage${index}`);
  const nodes = new Map(targets.map((name) => [name, { name, stage: name, kind: 'toy' }]));
  const summary = { items: 1, statuses: { ok: 1 }, calls: [] };
  const results = new Map(targets.map((name) => [name, { action: { summary, outputs: {} } }]));
  const pipeline = { graph: { nodes }, kinds: new Map(), store: undefined, out: join(process.cwd(), 'out') };
  const look = { color: false, width: 80 };
  const text = buildResult(pipeline as never, targets, { results, build: null } as never, { look, full: false });
  return text.trimEnd().split('\n');
}

describe('the stages of a build', () => {
  it('are listed, fifteen lines of them at most', () => {
    expect(linesOf(1)).toEqual(['stage0: 1 item, in out/stage0/']);
    expect(linesOf(15)).toHaveLength(15);
    expect(linesOf(15).at(-1)).toBe('stage14: 1 item, in out/stage14/');
    expect(linesOf(16)).toHaveLength(15);
    expect(linesOf(16).slice(-2)).toEqual(['stage13: 1 item, in out/stage13/', 'and 2 more stages']);
  });
});
