import { expect, it } from 'vitest';
import { z } from 'zod';
import { decoded } from '../../src/protocols/shared/decoded.ts';

const schema = z.object({
  parts: z.array(z.object({ text: z.string().nullish(), extra: z.number().nullish().catch(null) })).min(1),
});

const read = (raw: unknown) =>
  decoded(
    schema,
    () => ({ type: 'answer' }),
    raw,
    (reply) => reply,
  );

it('the thousandth reply of a kind is read, and refused, as the first was', () => {
  const odd = { parts: [{ text: 'a', extra: 'no number', unseen: 1 }], unseen: 2 };
  const wrong = { parts: [{ text: 'a' }, { text: 5 }] };
  const first = [read(odd), read(wrong), read({ parts: [] })];
  expect(first[0]).toEqual({ ok: true, value: { parts: [{ text: 'a', extra: null }] } });
  expect(first[1]).toMatchObject({ ok: false, problem: expect.stringMatching(/^parts\.1\.text: /) });
  for (let count = 0; count < 1000; count++) read(odd);
  expect([read(odd), read(wrong), read({ parts: [] })]).toEqual(first);
});
