/** A node's items driven against the store, one after the other: which replies are there, and what is asked beyond them. */

import type { KeyedCall } from '../../core/call.ts';
import { canonicalJson } from '../../core/json.ts';
import type { CallsKind } from '../../core/kind.ts';
import type { Protocols } from '../../core/protocol.ts';
import type { Known } from '../../core/storage.ts';
import type { AsksAgain } from '../again.ts';
import { drive } from '../drive.ts';
import { itemName } from '../items.ts';
import type { CanBatch } from '../lanes.ts';
import { Tally } from '../tally.ts';
import type { BlobMeter } from './overlay.ts';
import { Demands } from './plan-cost.ts';
import type { MissingItem } from './planned.ts';
import { UsageSamples } from './usage.ts';

interface PlannedItemsOptions {
  readonly node: string;
  readonly kind: CallsKind<unknown, unknown>;
  readonly params: unknown;
  readonly known: (call: KeyedCall) => Known | undefined;
  /** Which items are asked for anew; undefined: none. */
  readonly asksAgain: AsksAgain | undefined;
  /** Keys of calls that the plan buys already; those found here are added. */
  readonly planned: Set<string>;
  readonly protocols: Protocols;
  readonly canBatch: CanBatch;
  /** The most calls of one item. */
  readonly perItem: number;
  /** Takes the rows that are settled, as long as no item is unsettled. */
  readonly meter: BlobMeter | undefined;
  /** How many items that ask what is not stored are kept. */
  readonly examples: number;
}

export class PlannedItems {
  readonly #options: PlannedItemsOptions;
  readonly #seen: (call: KeyedCall, known: Known, raw: unknown) => void;
  #answered = 0;
  readonly tally: Tally;
  readonly demands: Demands;
  readonly missing: MissingItem[] = [];
  /** What the calls used that are answered already, such as those of a canary. */
  readonly answered = new UsageSamples(LEAST_ANSWERED);
  items = 0;
  /** Items that ask something which is not stored. */
  unsettled = 0;
  /** At most so many calls would be bought. */
  calls = 0;

  constructor(options: PlannedItemsOptions) {
    this.#options = options;
    this.demands = new Demands(options.protocols, options.canBatch);
    this.tally = new Tally(options.protocols);
    this.#seen = (call, known, raw) => {
      this.#answered++;
      this.tally.call(call, known, raw);
      if (known.type === 'reply' && !this.answered.isFull) this.answered.add(known.stored, call.bytes);
    };
  }

  add(item: unknown): void {
    const { kind, params, known, meter } = this.#options;
    this.#answered = 0;
    const again = this.#options.asksAgain?.(item, this.items, known) === true;
    const end = drive(kind.row(item, params), undefined, again ? NOTHING : known, this.#seen);
    this.items++;
    if (end.done) {
      this.tally.row(end.row);
      if (this.unsettled === 0) meter?.write(`${canonicalJson(end.row)}\n`);
    } else {
      this.#miss(item, end.missing);
    }
  }

  #miss(item: unknown, call: KeyedCall): void {
    const { kind, node, planned, perItem, examples } = this.#options;
    this.unsettled++;
    if (this.missing.length < examples) this.missing.push({ node, item: itemName(kind, item, this.items - 1), call });
    const before = planned.size;
    if (planned.add(call.key).size === before) return;
    this.demands.add(call);
    this.calls += Math.max(1, perItem - this.#answered);
  }
}

/** Fewer replies are no sample of what the others will use. */
const LEAST_ANSWERED = 5;

/** As if no reply were kept. */
const NOTHING = () => undefined;
