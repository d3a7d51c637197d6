/** `docs/reference/faults.md`, made from what the simulator's faults say of themselves. */

import { FAULT_NAMES, faultOf } from '../../src/simulator/weather/faults.ts';

const HEAD = `# Faults of the simulator

<!-- Made by \`npm run docs\` from src/simulator/weather/faults.ts; edit it there. -->

What \`cje simulate --faults FILE\` can do wrong; [bad-weather.md](../bad-weather.md) says how. A fault that does not fit a
request (a judge's JSON in a completion) leaves it alone.
`;

const TITLES = {
  'no answer': 'Replies that are no answers',
  judge: "A judge's answers",
  usage: 'Counts of tokens',
  model: 'Which model answered',
  refusal: 'Errors and limits',
  connection: 'The connection',
  secret: 'Secrets',
} as const;

export function faultsPage(): string {
  const sections = Object.entries(TITLES).map(([group, title]) => {
    const rows = FAULT_NAMES.filter((name) => faultOf(name).group === group).map((name) => {
      const { about, settings = [] } = faultOf(name);
      const own = settings.length === 0 ? '–' : settings.map((setting) => `\`${setting}\``).join(', ');
      return `| \`${name}\` | ${about.replaceAll('<', '&lt;')} | ${own} |`;
    });
    return `## ${title}\n\n| fault | the server | settings |\n|---|---|---|\n${rows.join('\n')}`;
  });
  return `${[HEAD, ...sections.map((section) => `${section}\n`)].join('\n')}`;
}
