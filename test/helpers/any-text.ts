/** Text of any code points but halves of pairs. The library's own (`unit: 'binary'`) takes a second to make its table. */

import fc from 'fast-check';

const SURROGATES = { from: 0xd800, count: 0x800 };
const codePoint = (index: number): string =>
  String.fromCodePoint(index < SURROGATES.from ? index : index + SURROGATES.count);

const UNIT = fc
  .oneof(
    fc.integer({ min: 0, max: 0x7f }),
    fc.integer({ min: 0, max: 0xffff - SURROGATES.count }),
    fc.integer({ min: 0, max: 0x10ffff - SURROGATES.count }),
  )
  .map(codePoint);

export const anyText = (lengths: { readonly minLength?: number; readonly maxLength?: number } = {}) =>
  fc.string({ ...lengths, unit: UNIT });
