/** What a report leaves out: blocks with nothing in them, and sections without a block. */

import { describe, expect, it } from 'vitest';
import { type Block, prose, sectionOf, tableBlock } from '../../src/report/model/section.ts';
import { left, tableOf, text } from '../../src/report/model/table.ts';

const table = (rows: readonly string[]) =>
  tableBlock(tableOf<string>([left('Name', (name) => text(name))], rows, { title: ['T'] }));
const list = (...items: readonly string[]) => ({ type: 'list', items: items.map((item) => [item]) }) as never as Block;
const cards = (...of: readonly string[]) => ({ type: 'cards', cards: of }) as never as Block;
const figures = (...of: readonly string[]) => ({ type: 'figures', figures: of }) as never as Block;

describe('a section', () => {
  it('shows the blocks that say something, in their order', () => {
    const full = [prose('p'), table(['a']), list('x'), cards('c'), figures('f')];
    const empty = [table([]), list(), cards(), figures(), false, undefined] as const;
    const section = sectionOf('id', 'name', 'title', [...empty, ...full, ...empty]);
    expect(section).toEqual({ id: 'id', name: 'name', title: 'title', blocks: full });
    expect(sectionOf('id', 'name', 'title', empty)).toBeUndefined();
  });
});
