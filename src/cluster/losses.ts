/** Says what goes wrong between a running till or worker and Redis, once for each sort: it comes many times a second. */

import type { Problem } from '../core/problem.ts';

interface Losses {
  tell(error: unknown): void;
  /** Redis answers again. */
  end(): void;
}

interface LossesOptions {
  readonly problem: (problem: Problem) => void;
  readonly note: (text: string) => void;
  /** What Redis is missed for. */
  readonly without: string;
  /** What becomes of work that goes to another because nothing was heard of this process. */
  readonly takenOver: string;
}

export function losses({ note, problem, without, takenOver }: LossesOptions): Losses {
  let told: Problem | undefined;
  return {
    tell(error) {
      const found = problemOf(error instanceof Error ? error : new Error(String(error)), without, takenOver);
      if (found.id !== told?.id) problem(found);
      told = found;
    },
    end() {
      if (told !== undefined && told.id !== 'CJE-CLUSTER-UNHEARD') note('Redis is back');
      told = undefined;
    },
  };
}

function problemOf({ name, message }: Error, without: string, takenOver: string): Problem {
  const facts: Problem['facts'] = [['reason', message]];
  // BullMQ holds a job by a lock that runs out unless it is renewed; it has no codes for these.
  if (/\block\b.*\bjob\b/i.test(message)) {
    return {
      id: 'CJE-CLUSTER-UNHEARD',
      headline: 'nothing was heard of this process for too long, so what it had in hand may have gone to another',
      facts,
      hint: `${takenOver}; where that comes while Redis is there, this machine has too much to do, or \`lease_seconds\` is too short`,
    };
  }
  if (name === 'ReplyError') {
    return {
      id: 'CJE-REDIS-REFUSES',
      headline: `Redis answers with an error, so ${without}`,
      facts,
      hint: 'has it memory and disk left, and is it no replica? docs/cluster.md says how it is to be set',
    };
  }
  return {
    id: 'CJE-REDIS-UNREACHABLE',
    headline: `Redis does not answer, so ${without}`,
    facts,
    hint: 'is it running? It is asked again until it answers, and then everything goes on',
  };
}
