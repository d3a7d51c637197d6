/** `cje cache stats`: what the cache holds and what it had cost. */

import { Command } from 'clipanion';
import { EXIT, type ExitCode } from '../../core/problem.ts';
import type { CallGroup, Statistics } from '../../store/upkeep/statistics.ts';
import { statisticsText } from '../../terminal/cache-text.ts';
import { CATEGORY, CacheCommand } from '../cache/command.ts';

export class CacheStatsCommand extends CacheCommand {
  static override paths = [['cache', 'stats']];
  static override usage = Command.Usage({
    category: CATEGORY,
    description: 'what the cache holds: entries, bytes, dollars, by kind, model and age',
    details: 'With --verbose also by node.',
    examples: [['Where the money lies', 'cje cache stats']],
  });

  run(): Promise<ExitCode> {
    return this.reading(async (store) => {
      const { statistics } = await import('../../store/upkeep/statistics.ts');
      const found = statistics(store, Date.now());
      if (this.json) this.printJson({ type: 'cache-stats', version: 1, ...asJson(found) });
      else this.print(statisticsText(found, this.verbose));
      return EXIT.built;
    });
  }
}

function asJson(found: Statistics) {
  const { total, byKind, byNode, byModel, byAge, ...rest } = found;
  return {
    ...rest,
    replies: group(total),
    byKind: groups(byKind),
    byNode: groups(byNode),
    byModel: groups(byModel),
    byAge: groups(byAge),
  };
}

const group = ({ oldest, newest, ...counts }: CallGroup) => ({
  ...counts,
  oldest: Number.isFinite(oldest) ? oldest : null,
  newest: Number.isFinite(newest) ? newest : null,
});
const groups = (found: ReadonlyMap<string, CallGroup>) =>
  Object.fromEntries([...found].map(([name, counts]) => [name, group(counts)]));
