import { describe, expect, it } from 'vitest';
import type { BatchSettings } from '../../src/core/batch.ts';
import type { GraphNode } from '../../src/core/graph.ts';
import { lanesOf } from '../../src/engine/lanes.ts';
import { protocolAt } from '../../src/protocols/index.ts';
import { provider } from '../providers/support.ts';

const SETTINGS: BatchSettings = {
  api: 'openai',
  rows: 10,
  bytes: 1000,
  echo: false,
  price: 0.5,
  pollSeconds: 1,
  graceSeconds: 1,
  patienceSeconds: 1,
};
const node = (name: string, lane?: 'online' | 'batch'): [string, GraphNode] => [
  name,
  {
    name,
    stage: name,
    kind: 'scores',
    params: {},
    inputs: {},
    tolerate: 0,
    place: { file: 'pipeline.yaml' },
    ...(lane === undefined ? {} : { lane }),
  },
];
const graph = {
  nodes: new Map([node('plain'), node('waits', 'batch'), node('hurries', 'online')]),
  providers: [provider({ identity: 'some', batch: SETTINGS }), provider({ identity: 'none' })],
  modelLanes: [{ identity: 'some', model: 'slow', lane: 'batch' as const }],
};
const call = (model: string, more: object = {}, path = '/chat/completions', identity = 'some') => ({
  request: { identity, path, body: { model, ...more }, draw: '0', decode: () => ({ ok: false, problem: '' }) as const },
});

describe('the lane of a call', () => {
  it('is that of the command line, else of its stage, its model, the profile; online where nobody says', () => {
    const { laneOf } = lanesOf(graph, protocolAt, undefined);
    expect([laneOf('plain', call('m')), laneOf('plain', call('slow'))]).toEqual(['online', 'batch']);
    expect([laneOf('waits', call('m')), laneOf('hurries', call('slow'))]).toEqual(['batch', 'online']);
    const profile = lanesOf({ ...graph, lane: 'batch' }, protocolAt, undefined);
    expect([profile.laneOf('plain', call('m')), profile.laneOf('hurries', call('m'))]).toEqual(['batch', 'online']);
    const asked = lanesOf(graph, protocolAt, 'batch');
    expect([asked.laneOf('plain', call('m')), asked.laneOf('hurries', call('m'))]).toEqual(['batch', 'batch']);
    expect(lanesOf(graph, protocolAt, 'online').laneOf('waits', call('slow'))).toBe('online');
  });

  it('is online where the provider makes no batches of such calls', () => {
    const { laneOf } = lanesOf(graph, protocolAt, 'batch');
    expect(laneOf('plain', call('m', {}, '/chat/completions', 'none'))).toBe('online');
    expect(laneOf('plain', call('m', {}, '/messages'))).toBe('online');
    expect(laneOf('plain', call('m', { echo: true }, '/completions'))).toBe('online');
    expect(laneOf('plain', call('m', { echo: false }, '/completions'))).toBe('batch');
    const echoing = { ...graph, providers: [provider({ identity: 'some', batch: { ...SETTINGS, echo: true } })] };
    expect(lanesOf(echoing, protocolAt, 'batch').laneOf('plain', call('m', { echo: true }, '/completions'))).toBe(
      'batch',
    );
  });
});
