/** Permits for the tries of a till: each is claimed in the ledger before it is sent, and booked there afterwards. */

import type { StoppedCall } from '../core/call.ts';
import type { Digest } from '../core/digest.ts';
import type { CallRequest, PriceBook, TryOutcome } from '../core/provider-port.ts';
import type { Clock } from '../providers/clock.ts';
import { Budget, type Reservation, type Settled } from '../replies/budget.ts';
import type { PricedPermit } from '../replies/spend.ts';
import type { BuildLimits, Claim, Ledger, SettledAs } from './ledger.ts';
import type { Leaving, SendPace } from './send-pace.ts';

/** Milliseconds between two questions whether another try has ended, or reserved money has come free. */
const ASK_AGAIN = 250;

export interface LedgerParts {
  readonly ledger: Pick<Ledger, 'claim' | 'settle'>;
  /** This till. */
  readonly owner: string;
  readonly prices: PriceBook;
  readonly clock: Clock;
  readonly tokens: (order: CallRequest) => number;
  /** Aborted when nothing new may be sent. */
  readonly drain: AbortSignal;
  /** Numbers the tries of this till. */
  readonly nextTry: () => number;
  /** A few claims at a time for what shares a limit: they would all wake at once. */
  readonly turn: <T>(name: string, work: () => Promise<T>) => Promise<T>;
  /** At which everything of a model leaves. */
  readonly paceOf: (model: string) => Pick<SendPace, 'pass'>;
  /** Calls whose tries are under way: what this till's heartbeat speaks for. */
  readonly open: Set<Digest>;
}

interface Booking {
  readonly number: number;
  readonly outcome: SettledAs;
  readonly dollars: number;
}

/** A try that may leave at its turn. */
type Granted = Required<Pick<PricedPermit, 'ready' | 'sent'>> & Pick<Leaving, 'answered'>;

/** A claim was answered with "somebody has it". */
const ELSEWHERE: StoppedCall = {
  class: 'stopped',
  reason: 'elsewhere',
  message: 'an earlier till has bought an answer that is nowhere in reach',
};
const UNRESOLVED: StoppedCall = {
  class: 'stopped',
  reason: 'unresolved',
  message: 'tills have died with a call more than once, and it may have been billed each time',
};
const INTERRUPTED: StoppedCall = { class: 'stopped', reason: 'interrupted', message: 'the till is stopping' };

/** The tries of one call. */
export class LedgerSpend {
  readonly #parts: LedgerParts;
  readonly #limits: BuildLimits;
  readonly #superseding: string | undefined;
  /** Prices reservations and outcomes; caps are held by the ledger. */
  readonly #budget: Budget;
  /** Tries that have ended and are not booked yet. */
  #ended: Booking[] = [];
  /** Digest of the answer that some till has, where a claim was refused for that. */
  elsewhere: string | undefined;

  constructor(parts: LedgerParts, limits: BuildLimits, superseding: string | undefined) {
    this.#parts = parts;
    this.#limits = limits;
    this.#superseding = superseding;
    this.#budget = new Budget({ maxCost: undefined, unapprovedCost: undefined, maxCalls: undefined }, parts.prices);
  }

  async admit(order: CallRequest, model: string): Promise<PricedPermit | StoppedCall> {
    // Only one try of a call is open at a time.
    await this.book(order.key, undefined);
    const admission = this.#budget.admit(order, model);
    if (!admission.ok) {
      const message = `no price or no token cap is known for ${model}`;
      return { class: 'stopped', reason: 'budget', message };
    }
    const { reservation } = admission;
    const number = this.#parts.nextTry();
    const granted = await this.#claim(order, reservation, number);
    if ('class' in granted) {
      this.#budget.settle(reservation, { billed: 'no', unsent: true });
      return granted;
    }
    return {
      dollars: reservation.dollars,
      ready: granted.ready,
      sent: granted.sent,
      settle: (outcome) => {
        granted.answered();
        const settled = this.#budget.settle(reservation, outcome);
        this.#ended.push({ number, outcome: settledAs(outcome, settled), dollars: settled.dollars ?? 0 });
        return settled;
      },
    };
  }

  async #claim(order: CallRequest, reservation: Reservation, number: number): Promise<Granted | StoppedCall> {
    const { ledger, owner, clock, drain, tokens, turn, paceOf, open } = this.#parts;
    const { identity, dollars, model } = reservation;
    const request = {
      call: order.key,
      owner,
      number,
      model: `${identity} ${model}`,
      reserve: dollars,
      tokens: tokens(order),
      limits: this.#limits,
      superseding: this.#superseding,
    };
    const inTurn = async (): Promise<Claim> => {
      for (;;) {
        const claim = await ledger.claim(request);
        if (claim.type !== 'wait') return claim;
        if (drain.aborted) return claim;
        await clock.sleep(claim.milliseconds, drain);
      }
    };
    for (;;) {
      if (drain.aborted) return INTERRUPTED;
      const claim = await turn(request.model, inTurn);
      switch (claim.type) {
        case 'go': {
          open.add(order.key);
          const at = clock.now() + claim.milliseconds;
          let leaving: Leaving | undefined;
          return {
            ready: async () => {
              leaving = await paceOf(request.model).pass(at);
            },
            sent: () => leaving?.sent(),
            answered: () => leaving?.answered(),
          };
        }
        case 'have':
          this.elsewhere = claim.digest;
          return ELSEWHERE;
        case 'unresolved':
          return UNRESOLVED;
        case 'broke':
          return {
            class: 'stopped',
            reason: claim.by === 'account' ? 'till_cap' : 'budget',
            message: brokeText(claim.by, claim.spent),
          };
        case 'full':
          await clock.sleep(ASK_AGAIN, drain);
          break;
        case 'flying':
        case 'wait':
          await clock.sleep(Math.min(claim.milliseconds + 1, ASK_AGAIN), drain);
          break;
      }
    }
  }

  /**
   * Books the tries that have ended.
   *
   * @param answer digest of what is kept now, where the last one was answered. @param held the answer, if Redis is to hold it
   */
  async book(call: Digest, answer: string | undefined, held?: string): Promise<void> {
    const { ledger, owner, open } = this.#parts;
    const ended = this.#ended;
    this.#ended = [];
    for (const [index, { number, outcome, dollars }] of ended.entries()) {
      const isLast = index === ended.length - 1;
      await ledger.settle({ call, owner, number }, outcome, dollars, isLast ? answer : undefined, held);
    }
    if (ended.length > 0) open.delete(call);
  }
}

function settledAs({ billed, ...rest }: TryOutcome, { certain }: Settled): SettledAs {
  if (billed === 'no') return 'unsent' in rest && rest.unsent ? 'unsent' : 'free';
  return billed === 'maybe' || !certain ? 'unknown' : 'billed';
}

function brokeText(by: 'account' | 'build' | 'calls', spent: number): string {
  switch (by) {
    case 'account':
      return `the next call could pass the cap of the account's till, which has spent $${spent.toFixed(4)}`;
    case 'build':
      return `the next call could pass what this build may spend; it has spent $${spent.toFixed(4)}`;
    case 'calls':
      return `the cap of ${spent} calls is reached`;
  }
}
