import fc from 'fast-check';
import { expect, it } from 'vitest';
import { canonicalJson } from '../../src/core/json.ts';
import { probeCostOf } from '../../src/doctor/probe-cost.ts';
import type { Role } from '../../src/doctor/probe-targets.ts';
import { OWN_UNITS, overlong } from '../../src/doctor/sample-call.ts';
import {
  BOS,
  chatReply,
  completionReply,
  echo,
  modelRef,
  PRICES,
  refuse,
  run,
  type Server,
  target,
} from './support.ts';

/** Whatever a server may do to make the doctor ask again, or say more. */
const MOODS: readonly Server[] = [
  (request) => echo(request),
  (request) => echo(request, { ids: true }),
  (request) => echo(request, { front: [] }),
  (request) => echo(request, { front: [BOS, BOS] }),
  (request) => ({ ...completionReply(request, '\u0001'.repeat(2_000)), prompt_token_ids: [1, 1, 2] }),
  (request) => chatReply(request, 'no JSON'),
  (request) => chatReply(request, '{"score": 5}'),
  () => refuse("400 'temperature' is not supported"),
  () => refuse("400 'max_tokens' is not supported, nor max_completion_tokens"),
  () => ({ ok: false, failure: { class: 'transient', reason: 'server_error', message: '500' } }),
  () => ({}),
];

it('is never passed, in calls or in dollars, whatever the server does', () => {
  const roles = fc.uniqueArray(fc.constantFrom<Role>('completion', 'forcing', 'chat'), { minLength: 1 });
  const dialects = fc.record({
    bos: fc.constantFrom('server' as const, 'prompt' as const),
    echoTokens: fc.constantFrom(0 as const, 1 as const),
    tokenLimit: fc.constantFrom('max_tokens' as const, 'max_completion_tokens' as const),
  });
  const moods = fc.array(fc.nat(MOODS.length - 1), { minLength: 1, maxLength: 12 });
  let most = 0;
  fc.assert(
    fc.property(roles, dialects, moods, fc.boolean(), (chosen, dialect, turns, long) => {
      const ref = modelRef(dialect);
      const row = long ? overlong(500) : undefined;
      const of = target(chosen, ref);
      const prospect = probeCostOf([of], row, PRICES);
      let turn = 0;
      const { requests } = run(of, (request) => MOODS[turns[turn++ % turns.length]!]!(request), { overlong: row });
      const dollars = requests.reduce(
        (sum, { path, body }) =>
          sum + PRICES.worstCase(ref.identity, ref.model, { path, body: canonicalJson(body), fields: body })!,
        0,
      );
      expect(requests.length).toBeLessThanOrEqual(prospect.calls);
      expect(dollars).toBeLessThanOrEqual(prospect.dollars!);
      most = Math.max(most, requests.length);
    }),
    {
      numRuns: 60,
      examples: [
        // A judge asks twice where it cannot read the answer, and twice again under each setting that is tried.
        [['chat', 'completion'], { bos: 'prompt', echoTokens: 0, tokenLimit: 'max_tokens' }, [5, 7, 4, 8, 0], false],
        [['chat'], { bos: 'prompt', echoTokens: 0, tokenLimit: 'max_tokens' }, [5, 7, 5, 8, 5], false],
      ],
    },
  );
  expect(most).toBeGreaterThan(8);
});

it('leaves out what has no price, for that is not asked', () => {
  expect(probeCostOf([target(['chat'], modelRef({}, 'unpriced'))], undefined, PRICES)).toEqual({
    calls: 0,
    dollars: 0,
  });
});

it('counts the longer name of the cap, which a server may ask for', () => {
  const ref = (tokenLimit: 'max_tokens' | 'max_completion_tokens') => modelRef({ tokenLimit });
  const cost = (limit: 'max_tokens' | 'max_completion_tokens') =>
    probeCostOf([target(['chat'], ref(limit))], undefined, PRICES);
  // Two asks of the row, and two under each of four things that are tried.
  expect(cost('max_tokens')).toEqual({ calls: 10, dollars: cost('max_completion_tokens').dollars });
});

it('takes of a setting that several ways of asking try the dearest way, as one of them is asked anew', () => {
  // An answer, and a judge who is asked twice; the cap's name, the temperature and two words for JSON are tried on the
  // judge at the most, and where the text begins on the answer.
  const { calls } = probeCostOf([target(['completion', 'chat'])], undefined, PRICES);
  expect(calls).toBe(3 + 4 * 2 + 1);
});

it.each([
  // The base row, the five others, the base row again, and its prompt as text and as ids; two settings are tried on it.
  ['forcing', 1 + 5 + 1 + 2 + 2, false],
  ['forcing', 1 + 5 + 1 + 1 + 2 + 2, true],
  // The same with the model's own answer at first and at last in place of the base row again, an answer on which three are
  // tried (where the text begins is tried on one of the two); and three answers that are forced five times each, with one
  // for its alternatives and one for what is drawn.
  ['completion forcing', 1 + 3 + 1 + 1 + 5 + 1 + 2 + 1 + 3 * (1 + 5 + 2), false],
])('of %s alone is %i calls (one too long: %s)', (roles, calls, isLong) => {
  const of = target(roles.split(' ') as Role[]);
  expect(probeCostOf([of], isLong ? overlong(500) : undefined, PRICES).calls).toBe(calls);
});

it('is the sum of its targets, and unknown as soon as one of them is, where the money is simulated', () => {
  const one = probeCostOf([target(['chat'])], undefined, PRICES);
  expect(probeCostOf([target(['chat']), target(['chat'])], undefined, PRICES)).toEqual({
    calls: 2 * one.calls,
    dollars: 2 * one.dollars!,
  });
  const simulated = { ...PRICES, simulated: () => true };
  const both = [target(['chat']), target(['chat'], modelRef({}, 'unpriced'))];
  expect(probeCostOf(both, undefined, simulated)).toEqual({ calls: 2 * one.calls, dollars: null });
});

it('takes a byte of an answer that is forced for as many as an escape of it has', () => {
  const asked: number[] = [];
  const counting = {
    ...PRICES,
    worstCase: (...of: Parameters<typeof PRICES.worstCase>) => {
      asked.push(Buffer.byteLength(of[2].body));
      return PRICES.worstCase(...of);
    },
  };
  probeCostOf([target(['completion', 'forcing'])], undefined, counting);
  const escaped = JSON.stringify('\u0001'.repeat(OWN_UNITS)).length;
  expect(Math.max(...asked)).toBeGreaterThanOrEqual(escaped);
});
