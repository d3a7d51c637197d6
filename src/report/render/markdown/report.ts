/** `report.md`: the report for a pull request, a notebook, an e-mail. */

import { escapeMarkdown as text } from '../../../text/escape.ts';
import type { ReportData } from '../../model/data.ts';
import type { Block, Prose, Run } from '../../model/section.ts';
import { sectionsIn } from '../../model/sections/index.ts';
import { experimentLine, isTempered, TEMPERED_MARK, TEMPERED_NOTE } from '../../model/words.ts';
import { tableMarkdown } from './table.ts';

export function renderMarkdown(data: ReportData): string {
  const sections = sectionsIn(data, 'markdown').flatMap(({ title, blocks }) => [
    `## ${text(title)}`,
    ...blocks.map(blockMarkdown),
  ]);
  const parts = [
    `# ${text(data.experiment)}`,
    text(experimentLine(data)),
    ...sections,
    isTempered(data) ? `${TEMPERED_MARK} ${TEMPERED_NOTE}` : '',
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function blockMarkdown(block: Block): string {
  switch (block.type) {
    case 'prose': {
      const words = proseMarkdown(block.prose);
      return block.as === 'lead' ? `**${words}**` : words;
    }
    case 'heading':
      return `### ${text(block.text)}`;
    case 'list':
      return block.items.map((item) => `- ${proseMarkdown(item)}`).join('\n');
    case 'cards':
      return block.cards
        .map(({ title, where, why, collect }) =>
          [
            `- ${proseMarkdown(title)} (${text(where)})`,
            `  - Why: ${text(why)}`,
            `  - What to collect: ${text(collect)}`,
          ].join('\n'),
        )
        .join('\n');
    case 'table':
      return tableMarkdown(block.table);
    case 'figure':
    case 'figures':
    case 'legend':
    case 'fold':
    case 'terms':
      // What a text file has no room for.
      return '';
  }
}

const proseMarkdown = (prose: Prose): string => prose.map(runMarkdown).join('');

function runMarkdown(run: Run): string {
  if (typeof run === 'string') return spaced(run);
  if ('sign' in run) return ` ${run.sign} `;
  return 'strong' in run ? `**${text(run.strong)}**` : spaced(run.quiet);
}

/** What is escaped loses the spaces at its ends. */
function spaced(words: string): string {
  const [, before = '', after = ''] = /^(\s*)[\s\S]*?(\s*)$/.exec(words) ?? [];
  return `${before === '' ? '' : ' '}${text(words)}${after === '' || before === words ? '' : ' '}`;
}
