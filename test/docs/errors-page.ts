/** `docs/errors.md`, made from the catalogue of problems. */

import { AREAS, CATALOGUE } from '../../src/core/catalogue.ts';
import { EXIT } from '../../src/core/problem.ts';

const HEAD = `# Errors: what each id means

<!-- Made by \`npm run docs\` from src/core/catalogue.ts; edit it there. -->

Every error carries an id, in brackets on its first line and as \`id\` in the \`problem\` event of \`--json\`
([events.md](events.md#problem)). The message itself says what is wrong here and where; this page says what errors of that
kind mean, and what usually helps. An id keeps its meaning; new ones may come. *Exit* is what a command ends with that ends
because of this alone.
`;

export function errorsPage(): string {
  const sections = AREAS.map((area) => {
    const entries = [...CATALOGUE].filter(([, entry]) => entry.area === area);
    const texts = entries
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([id, { means, helps, exits }]) => {
        const codes = exits.map((name) => EXIT[name]).join(' or ');
        return `### ${id}\n\n${means}\n${helps} (Exit ${codes})\n`;
      });
    return `## ${area}\n\n${texts.join('\n')}`;
  });
  return [HEAD, ...sections].join('\n');
}
