import type { Dialect } from '../../src/core/call.ts';

/** What a well-kept server of a Llama 4 speaks; tests change what they are about. */
export function dialect(changes: Partial<Dialect> = {}): Dialect {
  return {
    template: 'llama4',
    bos: 'server',
    tokenLimit: 'max_tokens',
    temperature: true,
    echoTokens: 0,
    extra: {},
    ...changes,
  };
}
