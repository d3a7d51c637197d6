import { describe, expect, it } from 'vitest';
import { nextItemState } from '../../src/engine/build/item.ts';

describe('an item', () => {
  it('waits once it has asked, and ends settled, exhausted or stopped', () => {
    expect(nextItemState('pending', 'asked')).toBe('waiting');
    expect(nextItemState('waiting', 'asked')).toBe('waiting');
    expect(nextItemState('pending', 'finished')).toBe('settled');
    expect(nextItemState('waiting', 'gave-up')).toBe('exhausted');
    expect(nextItemState('waiting', 'stop')).toBe('stopped');
  });

  it.each(['settled', 'exhausted', 'stopped'] as const)('that is %s stays so', (state) => {
    expect(() => nextItemState(state, 'asked')).toThrow(`an item in state ${state} cannot take asked`);
  });
});
