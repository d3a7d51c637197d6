/** Builds that send without end to a server with a limit, event by event in virtual time, each refused call again. */

import { createRates, type Rates, type SentRequest } from '../../src/providers/rates.ts';
import { type LimitedServer, seeded, type Verdict } from './limits.ts';

const MINUTE = 60_000;

/** What a server tells of its limit beside refusing: nothing, a time to come back (its own, or always so many seconds), headers. */
export type Says = 'nothing' | 'when' | number | { readonly limit: number };

export interface Load {
  readonly minutes: number;
  readonly senders: number;
  /** Milliseconds that an answer takes, on average; they vary by a half. */
  readonly latency: number;
  /** Milliseconds that a refusal takes. */
  readonly refusal?: number;
  readonly says?: Says;
  /** Requests a minute that the file states, and that an earlier build learnt. */
  readonly perMinute?: number;
  readonly remembered?: number;
  /** When each build begins, in milliseconds. */
  readonly begins?: readonly number[];
  /** How much the tokens of requests vary: 0 for not at all. */
  readonly spread?: number;
}

export interface Minute {
  answered: number;
  refused: number;
}

export interface Outcome {
  readonly minutes: readonly Minute[];
  /** Answers by second. */
  readonly seconds: readonly number[];
  /** After the first minute: answers a minute, and the share of the requests that was refused. */
  readonly perMinute: number;
  readonly refused: number;
  /** What the first build would tell people to write into the file, and when it first would; milliseconds. */
  readonly advice: { readonly perMinute: number; readonly at: number } | undefined;
  /** What each build would remember. */
  readonly learnt: readonly (number | null | undefined)[];
}

const TOKENS = 1_000;
/** Events after which a run ends: only a storm of refusals has more. */
const MOST = 400_000;

export function drive(server: LimitedServer, load: Load): Outcome {
  const { minutes: length, senders, latency, refusal = 20, says = 'nothing', spread = 0 } = load;
  const random = seeded(12345);
  const agenda = createAgenda();
  const minutes = Array.from({ length }, (): Minute => ({ answered: 0, refused: 0 }));
  const seconds = Array.from({ length: length * 60 }, () => 0);
  const end = length * MINUTE;
  let advice: Outcome['advice'];

  const build = (begin: number): Rates => {
    const limits = load.perMinute === undefined ? {} : { requestsPerMinute: load.perMinute };
    const rates = createRates(limits, load.remembered, begin);
    const queue: number[] = [];
    let alarm = Number.POSITIVE_INFINITY;
    const serve = (now: number): void => {
      for (let tokens = queue[0]; tokens !== undefined; tokens = queue[0]) {
        const wait = rates.wait(TOKENS, now);
        if (wait > 0) {
          const at = now + wait;
          if (at >= alarm) return;
          alarm = at;
          agenda.add(at, () => {
            if (alarm === at) alarm = Number.POSITIVE_INFINITY;
            serve(at);
          });
          return;
        }
        queue.shift();
        send(tokens, now);
      }
    };
    const send = (tokens: number, now: number): void => {
      const request = rates.send(TOKENS, now);
      const verdict = server.ask(now, tokens);
      const minute = minutes[Math.floor(now / MINUTE)];
      if (minute !== undefined) minute[verdict.answered ? 'answered' : 'refused']++;
      if (verdict.answered) seconds[Math.floor(now / 1_000)]!++;
      const took = verdict.answered ? Math.round(latency * (0.5 + random()) + (verdict.delay ?? 0)) : refusal;
      agenda.add(now + took, () => settle(request, tokens, verdict, now + took));
    };
    const settle = (request: SentRequest, tokens: number, verdict: Verdict, now: number): void => {
      const { asked, ...told } = toldBy(says, verdict);
      rates.settle(request, { rateLimited: !verdict.answered, tokens, ...told, ...pauseOf(asked) }, now);
      const sure = rates.sure();
      if (sure !== undefined) advice ??= { perMinute: sure, at: now };
      const comesBack = asked === undefined ? now : now + Math.ceil(asked + random() * 250);
      const next = verdict.answered ? tokensOf() : tokens;
      if (comesBack > now) {
        agenda.add(comesBack, () => {
          queue.push(next);
          serve(comesBack);
        });
      } else queue.push(next);
      serve(now);
    };
    const tokensOf = (): number =>
      Math.round(TOKENS * Math.exp(spread * (random() + random() + random() - 1.5) - spread ** 2 / 8));
    agenda.add(begin, () => {
      for (let index = 0; index < senders; index++) queue.push(tokensOf());
      serve(begin);
    });
    return rates;
  };

  const builds = (load.begins ?? [0]).map(build);
  agenda.runTo(end - 1);
  const later = minutes.slice(1);
  const sum = (kind: keyof Minute): number => later.reduce((total, minute) => total + minute[kind], 0);
  const [answered, refused] = [sum('answered'), sum('refused')];
  return {
    minutes,
    seconds,
    perMinute: answered / later.length,
    refused: refused / Math.max(1, answered + refused),
    advice,
    learnt: builds.map((rates) => rates.learnt()),
  };
}

const pauseOf = (asked: number | undefined) => (asked === undefined ? {} : { pauseMilliseconds: asked });

function toldBy(says: Says, { answered, freeIn, left }: Verdict) {
  const silent = { requests: {}, tokens: {}, overLimit: false };
  if (typeof says === 'object') {
    const requests = { limit: says.limit, remaining: left, resetMilliseconds: Math.ceil(freeIn) };
    return { report: { ...silent, requests }, ...(answered ? {} : { asked: Math.ceil(freeIn) }) };
  }
  if (answered || says === 'nothing') return { report: silent };
  return { report: silent, asked: 1_000 * (says === 'when' ? Math.ceil(freeIn / 1_000) : says) };
}

/** What is to happen when, the earliest first and what was added first first. */
function createAgenda() {
  const heap: { readonly at: number; readonly order: number; readonly act: () => void }[] = [];
  let order = 0;
  const isBefore = (one: number, other: number): boolean => {
    const [a, b] = [heap[one]!, heap[other]!];
    return a.at < b.at || (a.at === b.at && a.order < b.order);
  };
  const swap = (one: number, other: number): void => {
    [heap[one], heap[other]] = [heap[other]!, heap[one]!];
  };
  const first = () => {
    const top = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return top;
    heap[0] = last;
    for (let at = 0; ; ) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) if (child < heap.length && isBefore(child, least)) least = child;
      if (least === at) return top;
      swap(at, least);
      at = least;
    }
  };
  return {
    add(at: number, act: () => void) {
      heap.push({ at, order: order++, act });
      for (let child = heap.length - 1; child > 0; ) {
        const parent = (child - 1) >> 1;
        if (!isBefore(child, parent)) break;
        swap(child, parent);
        child = parent;
      }
    },
    runTo(end: number) {
      while (heap.length > 0 && heap[0]!.at <= end && order < MOST) first().act();
    },
  };
}
