/** Batches that are asked for where none can be made. */

import { expect, it } from 'vitest';
import { checkLane } from '../../src/cli/batch-options.ts';
import type { Provider } from '../../src/core/graph.ts';

const provider = (name: string, batch?: Provider['batch']): Provider => ({
  name,
  type: 'openai',
  identity: name,
  baseUrl: `http://${name}`,
  keyVariable: undefined,
  limits: { concurrency: 1, requestsPerMinute: 0, tokensPerMinute: 0, attempts: 1, timeoutSeconds: 1 },
  place: { file: 'p.yaml', line: 1, column: 1 },
  ...(batch === undefined ? {} : { batch }),
});

it('is refused where no provider makes any, by name, and is fine where one does', () => {
  const none = { providers: [provider('lab'), provider('home')] };
  const some = { providers: [...none.providers, provider('hosted', {} as NonNullable<Provider['batch']>)] };
  expect(() => checkLane('batch', none)).toThrow('--lane batch finds no provider that makes batches ("lab", "home")');
  for (const lane of ['online', undefined] as const) expect(() => checkLane(lane, none)).not.toThrow();
  expect(() => checkLane('batch', some)).not.toThrow();
});
