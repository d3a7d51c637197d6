import { expect, it } from 'vitest';
import { readAll } from '../../src/providers/content-encoding.ts';

it('a body is read up to a bound, and its source is left alone beyond', async () => {
  let given = 0;
  async function* spaces(chunks: number) {
    for (given = 0; given < chunks; given++) yield Buffer.alloc(10, ' ');
  }
  expect((await readAll(spaces(3), 30)).length).toBe(30);
  expect((await readAll(spaces(0), 30)).length).toBe(0);
  await expect(readAll(spaces(1_000_000), 30)).rejects.toThrow('the body is longer than 30 bytes');
  expect(given).toBe(3);
});
