import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LIBRARY, libraryPrice } from '../../src/providers/library-prices.ts';

const DAY = Date.UTC(2026, 9, 1);
const read = { date: LIBRARY.date, source: `${LIBRARY.name} ${LIBRARY.version}` };

describe('a price of the library', () => {
  it('is that of the provider at this address, on this day', () => {
    expect(libraryPrice('https://api.openai.com/v1', 'gpt-4o', DAY)).toEqual({
      input: 2.5,
      cached_input: 1.25,
      output: 10,
      ...read,
    });
    expect(libraryPrice('https://api.groq.com/openai/v1', 'llama-3.1-8b-instant', DAY)).toEqual({
      input: 0.05,
      output: 0.08,
      ...read,
    });
  });

  it('is what short requests pay where it rises with their length, and the dearest where it goes by the hour', () => {
    expect(libraryPrice('https://api.anthropic.com/v1', 'claude-sonnet-4-5', DAY)).toEqual({
      input: 3,
      cached_input: 0.3,
      output: 15,
      ...read,
    });
    for (const hour of [0, 6, 18]) {
      const price = libraryPrice('https://api.deepseek.com', 'deepseek-chat', DAY + hour * 3_600_000);
      expect(price).toMatchObject({ input: 0.27, cached_input: 0.07, output: 1.1 });
    }
  });

  it.each([
    ['http://127.0.0.1:8000/v1', 'gpt-4o'],
    ['https://elsewhere.example/v1', 'gpt-4o'],
    ['https://elsewhere.example/api.openai.com', 'gpt-4o'],
    ['https://api.openai.com/v1', 'gpt-4o-of-my-own'],
    ['https://openrouter.ai/api/v1', 'gpt-4o'],
    ['https://api.openai.com/v1', 'text-embedding-3-small'],
    ['https://api.openai.com/v1', '__proto__'],
  ])('is none at %s for %s', (url, model) => {
    expect(libraryPrice(url, model, DAY)).toBeUndefined();
  });

  it('is told with the version that is installed', () => {
    const file = new URL('../../node_modules/@pydantic/genai-prices/package.json', import.meta.url);
    expect((JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version).toBe(LIBRARY.version);
  });
});
