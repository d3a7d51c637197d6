/** What a judge's reply is worth: scale, variance, failures, and when it is asked again. */

import { describe, expect, it } from 'vitest';
import { type Answer, NO_USAGE } from '../../src/core/call.ts';
import type { ChatReply } from '../../src/core/protocol.ts';
import { comparePair, expectedVerdicts, judgeResponse } from '../../src/kinds/files/judge.ts';
import { judgeSchema } from '../../src/kinds/files/judge-file.ts';

type Judge = Parameters<typeof judgeResponse>[0];

const reply = (content: object | string | null, more: Partial<ChatReply> = {}): ChatReply => ({
  content: content === null || typeof content === 'string' ? content : JSON.stringify(content),
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

  it.each(['seven', '', '{"a": "b", "__proto__": {"score": 2}}', '{"score": "high"}', '{"score": null}', '[7]', '{}'])(
    'that reads %j is unparseable',
    (text) => {
      for (const output of ['score', 'interval'] as const) {
        expect(read(reply(text), output)).toEqual({ status: 'unparseable', model: 'judge-1' });
      }
    },
  );

  it('is not there where the judge said nothing, and is where it was cut after it', () => {
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
  scale: [0, 10],
  rationale: 'none',
  read: 'schema',
  draws: 1,
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

describe('reading is tolerant, and counted', () => {
  it.each([
    ['a fence', '```json\n{"score": 7}\n```', 0.7],
    ['prose around one object', 'Here it is: {"score": 7.5} as asked.', 0.75],
    ['a number in quotes', '{"score": "7"}', 0.7],
    ['a bare number', '7', 0.7],
    ['thoughts before it', '<think>{"score": 2}? No.</think>\n{"score": 7}', 0.7],
    ['thoughts of which only the end was sent', 'Hm, 3?</think>{"score": 7}', 0.7],
    ['the same verdict twice', '{"score": 7} and so {"score": 7.0}', 0.7],
    ['braces in a text', 'x {"note": "}", "score": 7} y', 0.7],
  ])('%s', (_, text, score) => {
    expect(read(reply(text), 'score')).toEqual({ status: 'ok', score, variance: 0, model: 'judge-1', repaired: true });
  });

  it.each([
    ['two different numbers', '{"score": 7} or {"score": 8}'],
    ['two numbers of one name', '{"score": 7, "score": 8}'],
    ['two numbers of one name around another', 'So: {"score": 7, "a": {"score": 5}, "score": 8}'],
    ['thoughts that never end', '<think>{"score": 7}'],
    ['an object cut short', '{"score": 7'],
    ['an object without a score', 'Well: {"mark": 7}'],
  ])('but %s is nobody’s guess', (_, text) => {
    expect(read(reply(text), 'score')).toEqual({ status: 'unparseable', model: 'judge-1' });
  });

  it.each([
    ['7/10', 0.7, true],
    ['I say 7 out of 10.', 0.7, true],
    ['7', 0.7, undefined],
    ['It is a 7.5', 0.75, true],
  ])('a text %j holds one number', (text, score, repaired) => {
    const { verdict } = judged([ok(text)], judge({ read: 'text', attempts: 1 }));
    expect(verdict).toEqual({ status: 'ok', score, variance: 0, model: 'judge-1', ...(repaired ? { repaired } : {}) });
  });

  it('a text of two numbers needs a pattern, and two matches that differ are no number', () => {
    const with2 = (text: string, pattern?: string) =>
      judged([ok(text)], judge({ read: 'text', attempts: 1, ...(pattern === undefined ? {} : { pattern }) })).verdict;
    expect(with2('3 facts, 7 points')?.status).toBe('unparseable');
    expect(with2('3 facts. Score: 7', 'Score: (\\d+)')).toMatchObject({ score: 0.7 });
    expect(with2('Score: 6. Score: 7', 'Score: (\\d+)')?.status).toBe('unparseable');
  });
});

describe('what is said in words beside the JSON', () => {
  const score = (content: string) => read(reply(content), 'score');

  it.each([
    '{"score": 7}\nFinal score: 2',
    '**Rating:** 2/10\n{"score": 7}',
    '```json\n{"score": 7}\n```\nSo my rating is 2 out of 10.',
    'I would rate this response a 2. {"score": 7}',
    'I cannot score this. Expected format: {"score": 7}',
    'I\'m sorry, I won\'t rate that. {"score": 7}',
    'A reply would look like {"score": 7}',
    'For example {"score": 7}',
    '{"analysis": "YOUR REASONS", "score": 7}',
  ])('makes no number of %j', (content) => {
    expect(score(content)).toEqual({ status: 'unparseable', model: 'judge-1' });
  });

  it.each([
    'Score: 7.\n{"score": 7}',
    'A score of 9 would need sources; it has none. {"score": 7}',
    'The score is 0 to 10. {"score": 7}',
    'In the requested format: {"score": 7}',
    'The answer could not rate the hotel. {"score": 7}',
    'I cannot rate this higher than 7. {"score": 7}',
  ])('takes nothing from %j', (content) => {
    expect(score(content)).toMatchObject({ status: 'ok', score: 0.7, repaired: true });
  });
});

describe('scales, reasons and criteria', () => {
  const schemaOf = (given: Judge) => {
    const { asked } = judged([ok('{}')], given);
    const { response_format } = asked[0]!.body as {
      response_format: { json_schema: { schema: { properties: object } } };
    };
    return response_format.json_schema.schema;
  };

  it('a score of 4 on 1 to 5 is 0.75, and 0 is outside of it', () => {
    const five = judge({ scale: [1, 5], attempts: 1 });
    expect(judged([ok({ score: 4 })], five).verdict).toMatchObject({ score: 0.75 });
    expect(judged([ok({ score: 0 })], five).verdict?.status).toBe('out_of_range');
    expect(schemaOf(five).properties).toEqual({ score: { maximum: 5, minimum: 1, type: 'number' } });
    expect(schemaOf(judge()).properties).toEqual({ score: { type: 'number' } });
  });

  it('reasons are asked for before the number or after it, and kept', () => {
    const before = judge({ rationale: 'before' });
    expect(Object.keys(schemaOf(before).properties)).toEqual(['analysis', 'score']);
    expect(Object.keys(schemaOf(judge({ rationale: 'after' })).properties)).toEqual(['score', 'why']);
    expect(judged([ok({ analysis: 'Sound.', score: 8 })], before).verdict).toMatchObject({ rationale: 'Sound.' });
    expect(judged([ok({ score: 8 })], before).verdict).not.toHaveProperty('rationale');
    // A name that says nothing hides none that says something.
    expect(judged([ok({ analysis: ' \n', reason: 'Sound.', score: 8 })], before).verdict).toMatchObject({
      rationale: 'Sound.',
    });
    expect(judged([ok({ analysis: '', score: 8 })], before).verdict).not.toHaveProperty('rationale');
  });

  it('criteria are weighted: (2 · 1 + 1 · 0.25) / 3 is 0.75', () => {
    const given = judge({ output: 'criteria', criteria: { accuracy: 2, clarity: 1 }, scale: [1, 5] });
    expect(judged([ok({ scores: { accuracy: 5, clarity: 2 } })], given).verdict).toMatchObject({
      score: 0.75,
      criteria: { accuracy: 1, clarity: 0.25 },
    });
    expect(judged([ok({ accuracy: 5, clarity: 2 })], given).verdict).toMatchObject({ score: 0.75, repaired: true });
    expect(judged([ok({ scores: { accuracy: 9, clarity: 2 } })], given).verdict?.status).toBe('out_of_range');
  });

  it('without a schema the form of the answer is told in words', () => {
    const { asked } = judged([ok({ score: 3 })], judge({ read: 'json', scale: [1, 5], rationale: 'before' }));
    expect(asked[0]!.body).not.toHaveProperty('response_format');
    const { messages } = asked[0]!.body as { messages: { content: string }[] };
    expect(messages.at(-1)!.content).toMatch(/\{"analysis": "YOUR REASONS", "score": NUMBER FROM 1 TO 5\}$/);
  });
});

describe('draws', () => {
  it('are averaged, and the variance of their mean is the judge’s', () => {
    const { asked, verdict } = judged(
      [ok({ score: 6 }), ok({ score: 7 }), ok({ score: 8 })],
      judge({ draws: 3, temperature: 1 }),
    );
    expect(asked.map(({ draw }) => draw)).toEqual(['4', '5', '6']);
    // Sample variance of 0.6, 0.7, 0.8 is 0.01; of the mean of three a third of it.
    expect(verdict).toMatchObject({ score: expect.closeTo(0.7, 12), variance: expect.closeTo(0.01 / 3, 12) });
    expect(verdict).toMatchObject({ draws: [0.6, 0.7, 0.8] });
  });

  it('that say how sure they are leave that beside what they differ by', () => {
    const { verdict } = judged(
      [ok({ score: 6, ci_lower: 4, ci_upper: 8 }), ok({ score: 8, ci_lower: 7, ci_upper: 9 })],
      judge({ output: 'interval', draws: 2, temperature: 1 }),
    );
    // Their own mean variance, and 0.02 between 0.6 and 0.8, of a mean of two.
    const own = ((0.4 / 3.92) ** 2 + (0.2 / 3.92) ** 2) / 2;
    expect(verdict).toMatchObject({ score: expect.closeTo(0.7, 12), variance: expect.closeTo((own + 0.02) / 2, 12) });
  });

  it('that cannot be read are left out; where none can, that is the verdict', () => {
    const given = judge({ draws: 2, temperature: 1, attempts: 1 });
    expect(judged([ok('?'), ok({ score: 8 })], given).verdict).toMatchObject({ score: 0.8, draws: [0.8], variance: 0 });
    expect(judged([ok('?'), ok('?')], given).verdict?.status).toBe('unparseable');
  });

  it('at temperature 0 a reply that was not read is told so, for the same words would get the same answer', () => {
    const contents = (given: Judge) =>
      judged([ok('?'), ok({ score: 8 })], given).asked.map(
        ({ body }) => (body as { messages: { content: string }[] }).messages.at(-1)!.content,
      );
    const [first, second] = contents(judge());
    expect(second).toMatch(/^P a [\s\S]* R b\n\nAn earlier answer/);
    expect(second!.startsWith(first!)).toBe(true);
    const warm = contents(judge({ temperature: 1 }));
    expect(warm[1]).toBe(warm[0]);
  });
});

describe('what a judge is shown', () => {
  const shown = (given: Judge, row: object) => {
    const conversation = judgeResponse(given, { prompt: 'P', response: 'R', ...row }, 0);
    const { value, done } = conversation.next();
    return done === true ? value : (value.body as { messages: readonly { role: string; content: string }[] }).messages;
  };

  it('is a system text, a reference answer, columns and the whole conversation where it asks for them', () => {
    const template = '{{messages}}|{{response}}|{{reference}}|{{columns.topic}}';
    const messages = [
      { role: 'system', content: 'S' },
      { role: 'user', content: 'U' },
    ];
    const row = { messages, reference: '42', columns: { topic: 'sums' } };
    expect(shown(judge({ template, system: 'Be fair.' }), row)).toEqual([
      { role: 'system', content: 'Be fair.' },
      { role: 'user', content: '[system]\nS\n\n[user]\nU|R|42|sums' },
    ]);
    expect(shown(judge({ template }), { messages })).toEqual({ status: 'missing_column', model: null });
  });
});

describe('a comparison', () => {
  const pairwise = { output: 'pairwise', template: '{{prompt}} {{response_a}} {{response_b}}', attempts: 1 } as const;
  const compared = (winners: readonly string[], given = judge(pairwise)) => {
    const conversation = comparePair(given, { prompt: 'P', response: 'mine' }, 'yours', 0);
    const asked: string[] = [];
    let step = conversation.next();
    for (const winner of winners) {
      if (step.done === true) break;
      asked.push((step.value.body as { messages: { content: string }[] }).messages[0]!.content);
      step = conversation.next(ok({ winner }));
    }
    return { asked, verdict: step.done === true ? step.value : undefined };
  };

  it('shows both orders; who wins in both wins', () => {
    const { asked, verdict } = compared(['A', 'B']);
    expect(asked).toEqual(['P mine yours', 'P yours mine']);
    expect(verdict).toMatchObject({ score: 1, orders: [1, 1] });
    expect(compared(['B', 'A']).verdict).toMatchObject({ score: 0, orders: [0, 0] });
  });

  it('by several draws is the mean of both orders’ means, and its variance a quarter of theirs', () => {
    // In the first order 1 and 0: ½ between them, over two. In the second two losses of `yours`: 1 and 1.
    const { verdict } = compared(['A', 'B', 'B', 'B'], judge({ ...pairwise, draws: 2, temperature: 1 }));
    expect(verdict).toMatchObject({ score: 0.75, orders: [0.5, 1], variance: 0.25 / 4 });
  });

  it('of which the words name another winner is none', () => {
    const said = (content: string) => {
      const conversation = comparePair(judge(pairwise), { prompt: 'P', response: 'mine' }, 'yours', 0);
      conversation.next();
      const first = conversation.next(ok(content));
      return first.done === true ? first.value : conversation.next(ok({ winner: 'B' })).value;
    };
    expect(said('Response B is better. {"winner": "A"}')).toMatchObject({ status: 'unparseable' });
    expect(said('Response A is better. {"winner": "A"}')).toMatchObject({ status: 'ok', score: 1 });
  });

  it('is even in a tie, and where the orders disagree, which shows', () => {
    expect(compared(['tie', 'tie']).verdict).toMatchObject({ score: 0.5, orders: [0.5, 0.5] });
    expect(compared(['A', 'A']).verdict).toMatchObject({ score: 0.5, orders: [1, 0] });
    expect(compared(['response_a', ' b ']).verdict).toMatchObject({ score: 1, repaired: true });
  });
});

describe('a judge file', () => {
  const issues = (more: object) => {
    const result = judgeSchema.safeParse({ ...judge(), ...more });
    return result.success ? [] : result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  };

  it('is right or says what is wrong with it', () => {
    expect(issues({})).toEqual([]);
    expect(issues({ template: '{{prompt}} {{respnse}}' })).toEqual(['template: unknown placeholder {{respnse}}']);
    expect(issues({ template: '{{messages}} {{response}} {{columns.}}' })).toEqual([
      'template: unknown placeholder {{columns.}}',
    ]);
    expect(issues({ draws: 3 })).toEqual(['draws: are all the same of a judge at temperature 0']);
    expect(issues({ draws: 3, temperature: 1 })).toEqual([]);
    expect(issues({ output: 'criteria' })).toEqual(['criteria: must name the criteria and their weights']);
    expect(issues({ criteria: { a: 1 } })).toEqual(['criteria: are of `output: criteria` alone']);
    expect(issues({ pattern: '(1)' })).toEqual(['pattern: is of `read: text` alone']);
    expect(issues({ read: 'text', pattern: '(' })[0]).toMatch(/^pattern: is no regular expression/);
    expect(issues({ read: 'text', pattern: '1' })).toEqual(['pattern: must have one group, and has 0']);
    expect(issues({ read: 'text', output: 'interval' })[0]).toMatch(/^read: /);
    expect(issues({ read: 'text', rationale: 'before' })[0]).toMatch(/^pattern: is needed/);
    expect(issues({ output: 'pairwise' })).toEqual([
      'template: the template shows one response, and `output: pairwise` compares two',
    ]);
    expect(issues({ scale: [5, 1] })[0]).toMatch(/^scale: a scale goes/);
  });
});
