/** What a judge's reply is worth: scale, variance, failures, and when it is asked again. */

import { describe, expect, it } from 'vitest';
import { type Answer, NO_USAGE } from '../../src/core/call.ts';
import { expectedVerdicts, judgeResponse } from '../../src/kinds/files/judge.ts';
import type { ChatReply } from '../../src/protocols/openai-chat/chat.ts';

type Judge = Parameters<typeof judgeResponse>[0];

const reply = (content: object | string | null, more: Partial<ChatReply> = {}): ChatReply => ({
  content: content === null || typeof content === 'string' ? content : JSON.stringify(content),
  refusal: null,
  reasoning: null,
  finishReason: 'stop',
  model: 'judge-1',
  usage: NO_USAGE,
  ...more,
});
/** What one reply is worth, where no other is asked for. */
const read = (reply: ChatReply, output: Judge['output']) =>
  judged([{ ok: true, reply, usage: NO_USAGE }], judge({ output, attempts: 1 })).verdict;
const interval = (score: number, ci_lower: number, ci_upper: number) =>
  read(reply({ score, ci_lower, ci_upper }), 'interval');

describe('a score', () => {
  it.each([
    [0, 0],
    [1, 0.1],
    [7.5, 0.75],
    [10, 1],
  ])('of %f is %f of the unit scale, without variance', (score, expected) => {
    expect(read(reply({ score }), 'score')).toEqual({
      status: 'ok',
      score: expected,
      variance: 0,
      model: 'judge-1',
    });
  });

  it.each([-0.01, 10.01, 75])('of %f is out of range', (score) => {
    expect(read(reply({ score }), 'score')).toEqual({ status: 'out_of_range', model: 'judge-1' });
  });

  it.each(['seven', '', '{"score": "7"}', '{"score": null}', '[7]', '{}'])('that reads %j is unparseable', (text) => {
    for (const output of ['score', 'interval'] as const) {
      expect(read(reply(text), output)).toEqual({ status: 'unparseable', model: 'judge-1' });
    }
  });

  it('is not there where the judge declined, by words, by filter or by silence', () => {
    expect(read(reply({ score: 7 }, { refusal: 'no' }), 'score')?.status).toBe('refused');
    expect(read(reply({ score: 7 }, { finishReason: 'content_filter' }), 'score')?.status).toBe('filtered');
    expect(read(reply({ score: 7 }, { finishReason: 'length' }), 'score')?.status).toBe('ok');
    expect(read(reply(null), 'score')?.status).toBe('unparseable');
  });
});

describe('an interval', () => {
  it('is 3.92 standard deviations wide: 4 to 6 around 5 is (0.2/3.92)²', () => {
    expect(interval(5, 4, 6)).toEqual({
      status: 'ok',
      score: 0.5,
      variance: expect.closeTo((0.2 / 3.92) ** 2, 15),
      model: 'judge-1',
    });
  });

  it('says no more than a Bernoulli variable: 0 to 10 around 9.9 is 0.99 · 0.01', () => {
    // (1/3.92)² = 0.0651 is more than a variable on [0, 1] of mean 0.99 can vary.
    expect(interval(9.9, 0, 10)).toMatchObject({ score: 0.99, variance: expect.closeTo(0.0099, 12) });
    expect(interval(0, 0, 10)).toMatchObject({ variance: 0 });
    // At 5 the bound is 0.25: the interval counts.
    expect(interval(5, 0, 10)).toMatchObject({ variance: expect.closeTo(1 / 3.92 ** 2, 12) });
  });

  it('that leaves its score out is widened to hold it, on either side', () => {
    // 3 to 6 and 4 to 7: 0.3 wide.
    expect(interval(3, 4, 6)).toMatchObject({ variance: expect.closeTo((0.3 / 3.92) ** 2, 12) });
    expect(interval(7, 4, 6)).toMatchObject({ variance: expect.closeTo((0.3 / 3.92) ** 2, 12) });
    expect(interval(5, 5, 5)).toMatchObject({ status: 'ok', variance: 0 });
  });

  it.each([
    [5, 6, 4],
    [11, 4, 6],
    [5, -1, 6],
    [5, 4, 10.5],
  ])('%f in [%f, %f] is out of range', (score, lower, upper) => {
    expect(interval(score, lower, upper)).toEqual({ status: 'out_of_range', model: 'judge-1' });
  });

  it('needs both of its ends', () => {
    expect(read(reply({ score: 5, ci_lower: 4 }), 'interval')?.status).toBe('unparseable');
    expect(read(reply({ score: 5 }), 'interval')?.status).toBe('unparseable');
  });
});

const judge = (more: Partial<Judge> = {}): Judge => ({
  model: {
    identity: 'simulator:1',
    model: 'm',
    dialect: { template: 'none', bos: 'server', tokenLimit: 'max_tokens', temperature: true, echoTokens: 0, extra: {} },
  },
  temperature: 0,
  max_tokens: 50,
  template: 'P {{prompt}} R {{response}}',
  output: 'score',
  attempts: 3,
  ...more,
});

/** Answers in turn; tells what was asked under which draw, and the verdict. */
function judged(answers: readonly Answer<ChatReply>[], given: Judge = judge(), replicate = 4) {
  const asked: { draw: string; body: object }[] = [];
  const conversation = judgeResponse(given, { prompt: 'a {{response}}', response: 'b' }, replicate);
  let step = conversation.next();
  for (const answer of answers) {
    if (step.done === true) break;
    asked.push({ draw: step.value.draw, body: step.value.body });
    step = conversation.next(answer);
  }
  return { asked, verdict: step.done === true ? step.value : undefined };
}
const ok = (content: object | string): Answer<ChatReply> => ({ ok: true, reply: reply(content), usage: NO_USAGE });

describe('asking', () => {
  it('renders both texts once, under the number of the replicate', () => {
    const { asked, verdict } = judged([ok({ score: 3 })]);
    expect(verdict).toMatchObject({ status: 'ok', score: 0.3 });
    expect(asked).toEqual([
      {
        draw: '4',
        body: expect.objectContaining({
          messages: [{ role: 'user', content: 'P a {{response}} R b' }],
          max_tokens: 50,
          temperature: 0,
        }),
      },
    ]);
  });

  it('asks again for what cannot be read, each time as another draw, as often as it may', () => {
    const { asked, verdict } = judged([ok('?'), ok('??'), ok({ score: 8 })]);
    expect(asked.map(({ draw }) => draw)).toEqual(['4', '4+1', '4+2']);
    expect(verdict).toMatchObject({ status: 'ok', score: 0.8 });
    const spent = judged([ok('?'), ok('?'), ok('?'), ok({ score: 8 })]);
    expect(spent.asked).toHaveLength(3);
    expect(spent.verdict).toEqual({ status: 'unparseable', model: 'judge-1' });
    expect(judged([ok('?'), ok({ score: 8 })], judge({ attempts: 1 })).asked).toHaveLength(1);
  });

  it('takes every other answer as final', () => {
    const failure = { class: 'permanent', reason: 'context_overflow', message: '' } as const;
    expect(judged([{ ok: false, failure }, ok({ score: 8 })])).toMatchObject({
      asked: { length: 1 },
      verdict: { status: 'context_overflow', model: null },
    });
    expect(judged([ok({ score: 80 }), ok({ score: 8 })]).asked).toHaveLength(1);
  });

  it('expects a call for each verdict, with the template, a typical prompt and a typical response', () => {
    // 27 bytes are 7 tokens; 60 and 350 beside them.
    expect(expectedVerdicts(judge(), 9)).toMatchObject({
      calls: 9,
      inputTokens: 417,
      outputTokens: 8,
      outputTokensAtMost: 50,
    });
    expect(expectedVerdicts(judge({ output: 'interval' }), 9).outputTokens).toBe(24);
  });
});
