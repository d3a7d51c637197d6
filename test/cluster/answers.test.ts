import { describe, expect, it } from 'vitest';
import { type CallAnswer, readAnswers, readCallRetry } from '../../src/cluster/chunk.ts';
import { readOutcome } from '../../src/workers/job.ts';

const meter = { bought: 1, failed: 0, cost: 0.1, unknown: 0, doubted: 0, models: [] };
const answered: CallAnswer[] = [
  {
    answer: {
      type: 'reply',
      stored: {
        raw: '{}',
        usage: { inputTokens: 1, cachedInputTokens: 0, outputTokens: 2 },
        model: 'm',
        identity: 'i',
        cost: null,
        boughtAt: 3,
        node: 'n',
      },
    },
    meter: { ...meter, models: [{ identity: 'i', model: 'm', bought: 1, cost: 0.1 }] },
  },
  {
    answer: {
      type: 'failure',
      stored: { failure: { class: 'permanent', reason: 'refused', message: 'no' }, failedAt: 4, node: 'n' },
    },
    meter,
  },
  { answer: { type: 'unavailable', failure: { class: 'stopped', reason: 'till_cap', message: 'spent' } }, meter },
];

describe('what Redis says of a chunk', () => {
  it('is read as it was written', () => {
    expect(readAnswers(JSON.parse(JSON.stringify(answered)), 3)).toEqual(answered);
  });

  it.each([
    ['nothing', null],
    ['fewer answers than calls', answered.slice(1)],
    ['an answer of no kind', [...answered.slice(1), { answer: { type: 'gift' }, meter }]],
    ['an answer without its cost', [...answered.slice(1), { answer: answered[0]!.answer }]],
    ['a reply without its body', [...answered.slice(1), { answer: { type: 'reply', stored: {} }, meter }]],
    ['a failure for good that is none', [...answered.slice(1), { answer: { type: 'failure', stored: {} }, meter }]],
  ])('is no answer: %s', (_, value) => {
    expect(readAnswers(value, 3)).toBeUndefined();
  });

  it('is a retry, or is passed over', () => {
    const failure = { class: 'transient', reason: 'overloaded', message: 'busy' };
    const retry = { type: 'call-retry', call: 2, failure, waitMilliseconds: 50 };
    expect(readCallRetry(retry)).toEqual(retry);
    expect(readCallRetry({ ...retry, failure: { ...failure, reason: '\u001b[2J' } })).toBeUndefined();
    expect(readCallRetry({ ...retry, call: -1 })).toBeUndefined();
    expect(readCallRetry(50)).toBeUndefined();
  });
});

describe('what Redis says of work', () => {
  it.each([null, 'made', { type: 'made' }, { type: 'made', index: 7, milliseconds: 1 }, { type: 'lost' }])(
    'is no outcome: %j',
    (value) => {
      expect(readOutcome(value)).toBeUndefined();
    },
  );

  it('is an outcome', () => {
    for (const outcome of [
      { type: 'made', index: 'work/a', to: 3, milliseconds: 1 },
      { type: 'refused', reason: 'no' },
    ]) {
      expect(readOutcome(outcome)).toEqual(outcome);
    }
  });
});
