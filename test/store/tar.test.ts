import { expect, it } from 'vitest';
import { padding, readTarHeader, tarHeader } from '../../src/store/pack/tar.ts';

/** As the standard lays a header out (POSIX ustar): name, mode, owner, group, size, time, checksum, type, magic. */
it('writes a header that other programs read', () => {
  const header = tarHeader('blobs/x.gz', 8 * 64 + 5);
  const text = (from: number, to: number) => header.toString('latin1', from, to);
  expect(header).toHaveLength(512);
  expect(text(0, 11)).toBe('blobs/x.gz\0');
  expect(text(100, 124)).toBe('0000644\x000000000\x000000000\0');
  expect(text(124, 148)).toBe('00000001005\x0000000000000\0');
  // The sum of all bytes, with blanks in the place of the sum itself, in octal.
  const sum = [...header].reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 32 : byte), 0);
  expect(text(148, 156)).toBe(`${sum.toString(8).padStart(6, '0')}\0 `);
  expect(text(156, 157)).toBe('0');
  expect(text(257, 265)).toBe('ustar\x0000');
  expect(readTarHeader(header)).toEqual({ type: 'file', name: 'blobs/x.gz', size: 517 });
  expect(tarHeader('x'.repeat(100), 0)).toHaveLength(512);
  expect(() => tarHeader('x'.repeat(101), 0)).toThrow('too long');
});

it('fills the last block', () => expect([0, 1, 511, 512, 513].map(padding)).toEqual([0, 511, 1, 0, 511]));

it('tells the end and damage', () => {
  expect(readTarHeader(Buffer.alloc(512))).toEqual({ type: 'end' });
  const broken = tarHeader('a', 1);
  broken[0] = 0x62;
  expect(readTarHeader(broken)).toEqual({ type: 'damaged' });
});
