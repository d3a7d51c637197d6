/** `cje log`: the builds, newest first; with --cost, what they billed by build, node and model. */

import { Command, Option } from 'clipanion';
import { EXIT, type ExitCode } from '../../core/problem.ts';
import type { BuildRecord } from '../../core/storage.ts';
import { addBills, type Purchases, unrecordedPurchases } from '../../core/unrecorded.ts';
import { ledgerOf } from '../../engine/explain/ledger.ts';
import { unresolvedIntents } from '../../replies/intents.ts';
import type { LocalStore } from '../../store/store.ts';
import { ledgerText, logText } from '../../terminal/log-text.ts';
import { CacheCommand } from '../cache/command.ts';
import { wholeNumber } from '../numbers.ts';

/** Builds that are listed unless told. */
const LISTED = 20;

export class LogCommand extends CacheCommand {
  static override paths = [['log']];
  static override usage = Command.Usage({
    category: 'Looking',
    description: 'the builds, newest first, and what they billed',
    details: `
      With --cost: dollars billed by build, by node and by model; what the cache saved; what it would take to buy
      everything again. A build that was killed leaves no record; what its replies cost is told apart.
    `,
    examples: [
      ['The last builds', 'cje log'],
      ['Where did the money go?', 'cje log --cost'],
    ],
  });

  cost = Option.Boolean('--cost', false, { description: 'what was billed by build, node and model' });
  limit = Option.String('-n,--limit', { description: `builds to list (default ${LISTED}; 0 for all)` });

  run(): Promise<ExitCode> {
    // What was built is told whatever mistakes pipeline.yaml has now.
    return this.reading((store) => {
      const limit = wholeNumber('--limit', this.limit) ?? LISTED;
      const all = [...store.builds.list()];
      const every = entriesOf(all);
      const entries = limit === 0 ? every : every.slice(0, limit);
      const records = entries.flat();
      if (this.cost) {
        const removed = store.removed.read();
        const kept = unrecordedPurchases(all, purchasesIn(store), removed.of);
        const ledger = ledgerOf(all, addBills(kept.bill, removed.bill));
        if (this.json) this.printJson({ type: 'ledger', version: 1, ...ledger });
        else this.print(ledgerText(ledger, records));
      } else if (this.json) {
        for (const record of records) this.printJson({ type: 'build', version: 1, ...entryOf(record) });
      } else {
        this.print(logText(entries, every.length));
      }
      return EXIT.built;
    });
  }
}

const purchasesIn = ({ calls, intents }: LocalStore): Purchases => ({
  replies: calls.scan(),
  failures: calls.scanFailures(),
  superseded: calls.scanSuperseded(),
  unresolved: unresolvedIntents(intents, calls),
});

function entryOf({ id, tags = [], gate, totals, nodes: _, ...record }: BuildRecord) {
  return { id, tags, ...(gate === undefined ? {} : { gate }), ...record, ...totals };
}

/** Builds one by one, newest first, and the looks of a gate together, where its newest stands. */
function entriesOf(records: readonly BuildRecord[]): BuildRecord[][] {
  const entries: BuildRecord[][] = [];
  const gates = new Map<string, BuildRecord[]>();
  for (const record of records) {
    const gate = record.gate === undefined ? undefined : gates.get(record.gate);
    if (gate !== undefined) gate.push(record);
    else {
      const entry = [record];
      entries.push(entry);
      if (record.gate !== undefined) gates.set(record.gate, entry);
    }
  }
  return entries;
}
