/** What a build prints that has nothing to do: the events of such a build, as the screen tells them. */

import { type BuildEvent, EVENTS_VERSION, NOTHING_DONE, type Totals } from '../core/events.ts';
import { EXIT } from '../core/problem.ts';
import { createScreen } from './screen.ts';

type Started = Omit<Extract<BuildEvent, { type: 'started' }>, 'type' | 'version'>;

/**
 * @param totals of the build that made everything
 * @param result what is printed before the summary
 */
export function upToDateText(
  about: Started,
  { nodes: { refused }, cost: { reproduce } }: Pick<Totals, 'nodes' | 'cost'>,
  result: string,
  options: { readonly json: boolean; readonly color: boolean },
): string {
  const lines: string[] = [];
  const sink = { write: (text: string) => lines.push(text) > 0 };
  const screen = createScreen({ ...options, verbose: false, stdout: sink, columns: 100 });
  screen.listener({ type: 'started', version: EVENTS_VERSION, ...about });
  if (result !== '') lines.push(`${result}\n`);
  screen.listener({
    type: 'finished',
    exit: EXIT.built,
    build: null,
    milliseconds: 0,
    ...NOTHING_DONE,
    nodes: { ...NOTHING_DONE.nodes, cached: about.nodes - refused, refused },
    cost: { ...NOTHING_DONE.cost, reproduce },
  });
  screen.close();
  return lines.join('');
}
