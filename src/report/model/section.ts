/** A section of the report as data: made once, and rendered by one renderer for each medium. */

import type { DatasetQuality } from '../../datasets/results.ts';
import type { Ranking } from './ranking.ts';
import type { Cell, Medium, Table } from './table.ts';

/** A piece of a sentence. A text may come from data, so every rendering escapes it; what stands at its ends stays. */
export type Run =
  | string
  | { readonly strong: string }
  | { readonly quiet: string }
  /** Between two policies of a ranking: separated, or not. */
  | { readonly sign: '>' | '≈' };
/** Runs follow each other as they are; words between backticks are what one types. */
export type Prose = readonly Run[];

export interface Section {
  readonly id: string;
  /** In the list of sections. */
  readonly name: string;
  readonly title: string;
  readonly blocks: readonly Block[];
}

export type Block = Placed &
  (
    | { readonly type: 'prose'; readonly prose: Prose; readonly as?: 'lead' | 'note' }
    | { readonly type: 'heading'; readonly text: string }
    | { readonly type: 'list'; readonly items: readonly Prose[] }
    | { readonly type: 'cards'; readonly cards: readonly Card[] }
    /** @param remark a last sentence of the caption */
    | { readonly type: 'table'; readonly table: Table; readonly remark?: string }
    /** One figure as wide as the page, or several side by side. */
    | { readonly type: 'figure'; readonly figure: Figure }
    | { readonly type: 'figures'; readonly figures: readonly Figure[] }
    | { readonly type: 'legend'; readonly scorers: readonly string[]; readonly truth: boolean }
    /** What is shown to who asks for it. */
    | { readonly type: 'fold'; readonly summary: string; readonly tables: readonly Table[] }
    | { readonly type: 'terms'; readonly terms: readonly (readonly [term: string, meaning: string])[] }
  );

interface Placed {
  /** Absent: everywhere. */
  readonly in?: readonly Medium[];
}

/** What was withheld. */
export interface Card {
  readonly title: Prose;
  /** In which cells. */
  readonly where: string;
  readonly why: string;
  readonly collect: string;
}

export interface Figure {
  readonly title?: string;
  readonly caption: Prose;
  readonly facts?: readonly (readonly [name: string, value: Cell])[];
  readonly chart: ChartOf;
}

/** What is drawn, for the charts to draw it. */
export type ChartOf =
  | { readonly type: 'ranking'; readonly ranking: Ranking }
  | { readonly type: 'forest'; readonly policy: string }
  | { readonly type: 'weights'; readonly weights: DatasetQuality['weights'][number] }
  | { readonly type: 'calibration' | 'scores'; readonly quality: DatasetQuality };

/** Sections without a block, and blocks with nothing in them, are not shown. */
export function sectionOf(
  id: string,
  name: string,
  title: string,
  blocks: readonly (Block | false | undefined)[],
): Section | undefined {
  const present = blocks.filter((block): block is Block => block !== false && block !== undefined && !isEmpty(block));
  return present.length === 0 ? undefined : { id, name, title, blocks: present };
}

function isEmpty(block: Block): boolean {
  switch (block.type) {
    case 'list':
      return block.items.length === 0;
    case 'cards':
      return block.cards.length === 0;
    case 'figures':
      return block.figures.length === 0;
    case 'table':
      return block.table.rows.length === 0;
    default:
      return false;
  }
}

export const prose = (...runs: Prose): Block => ({ type: 'prose', prose: runs });
export const heading = (text: string): Block => ({ type: 'heading', text });
export const tableBlock = (table: Table): Block => ({ type: 'table', table });
export const only = (medium: Medium, block: Block): Block => ({ ...block, in: [medium] });
