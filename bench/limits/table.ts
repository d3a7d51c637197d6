/** Prints what is made of every kind of limit: its worst case over numbers of senders and latencies, and each miss. */

import {
  banning,
  both,
  bucket,
  careless,
  changing,
  fixedWindow,
  type LimitedServer,
  leakyQueue,
  slidingCounter,
  slidingLog,
  tokensBucket,
} from '../../test/servers/limits.ts';
import { drive, type Load, type Outcome, type Says } from '../../test/servers/senders.ts';

const MINUTE = 60_000;
const RATES = [60, 600, 6000];
const MINUTES: Readonly<Record<number, number>> = { 60: 10, 600: 6, 6000: 4 };
const SENDERS = [8, 64, 256];
const LATENCIES = [50, 1_000, 20_000];

interface Kind {
  readonly server: (perMinute: number) => LimitedServer;
  readonly says?: (perMinute: number) => Says;
  readonly load?: Partial<Load>;
  /** How many times its limit it allows later. */
  readonly most?: number;
  /** What is wanted of the limit that holds at the end, by the share of it; and the most that may be refused. */
  readonly wanted?: readonly [used: number, refused: number];
  /** Where what is wanted is not a share of the limit after the first minute. */
  readonly measure?: (outcome: Outcome, perMinute: number, server: LimitedServer) => readonly [number, number];
}

const WANTED = [0.95, 0.02] as const;
const quiet: [string, (perMinute: number) => Says][] = [
  ['', () => 'nothing'],
  [', when', () => 'when'],
  [', 0 s', () => 0],
  [', 1 s', () => 1],
  [', headers', (perMinute) => ({ limit: perMinute })],
];
const counted: [string, (perMinute: number) => LimitedServer][] = [
  ['bucket', (rate) => bucket(rate)],
  ['bucket of one', (rate) => bucket(rate, 1)],
  ['bucket of 10 s', (rate) => bucket(rate, rate / 6)],
  ['bucket of a minute', (rate) => bucket(rate, rate)],
  ['queue of ten', (rate) => leakyQueue(rate)],
  ['fixed minute', (rate) => fixedWindow(rate)],
  ['fixed minute from 20 s', (rate) => fixedWindow(rate, MINUTE, 20_000)],
  ['fixed minute from 45 s', (rate) => fixedWindow(rate, MINUTE, 45_000)],
  ['fixed second', (rate) => fixedWindow(Math.max(1, rate / 60), 1_000, 300)],
  ['fixed 10 s', (rate) => fixedWindow(rate / 6, 10_000, 3_000)],
  ['sliding log', (rate) => slidingLog(rate)],
  ['sliding log of all', (rate) => slidingLog(rate, 'all')],
  ['sliding counter', (rate) => slidingCounter(rate, 20_000)],
];
/** The last minutes alone, from this one on. */
const from =
  (first: number, last: (perMinute: number) => number) =>
  ({ minutes }: Outcome, perMinute: number): readonly [number, number] => {
    const late = minutes.slice(first);
    const answered = late.reduce((sum, minute) => sum + minute.answered, 0);
    const refused = late.reduce((sum, minute) => sum + minute.refused, 0);
    return [answered / late.length / last(perMinute), refused / Math.max(1, answered + refused)];
  };
const changed = (make: (perMinute: number) => LimitedServer, factor: number): Kind => ({
  server: (rate) => changing(4 * MINUTE, make(rate), make(rate * factor)),
  load: { minutes: 10 },
  most: factor,
  measure: from(6, (rate) => rate * factor),
});
/** Sixteen senders get so many answers a second; from the tenth on. */
const chance = (share: number): Kind => ({
  server: () => careless(share),
  load: { minutes: 1 },
  wanted: [0.8, 1],
  measure: ({ seconds }, _rate) => [seconds.slice(15).reduce((sum, count) => sum + count, 0) / 45, share],
});
/** Met once, and not again. */
const banned = (ban: number, make: (perMinute: number) => LimitedServer, forgets = true): Kind => ({
  server: (rate) => banning(make(rate), ban, 20, forgets),
  load: { minutes: 20 },
  measure: ({ minutes }, rate, server) => [
    minutes.slice(10).reduce((sum, { answered }) => sum + answered, 0) / 10 / rate,
    (server as ReturnType<typeof banning>).bans() > 1 ? 1 : 0,
  ],
});

const KINDS: Readonly<Record<string, Kind>> = {
  ...Object.fromEntries(
    counted.flatMap(([name, server]) => quiet.map(([said, says]) => [`${name}${said}`, { server, says }] as const)),
  ),
  'bucket of a minute, 30 s': { server: (rate) => bucket(rate, rate), says: () => 30 },
  'bucket, 30 s': { server: (rate) => bucket(rate), says: () => 30, wanted: [0.9, 0.02] },
  'fixed minute, 30 s': { server: (rate) => fixedWindow(rate), says: () => 30, wanted: [0.9, 0.02] },
  'sliding log, 30 s': { server: (rate) => slidingLog(rate), says: () => 30, wanted: [0.9, 0.02] },
  'tokens, bucket of 6 s': { server: (rate) => tokensBucket(rate * 1_000), load: { spread: 0.5 } },
  'tokens, of a minute': { server: (rate) => tokensBucket(rate * 1_000, rate * 1_000), load: { spread: 0.5 } },
  'bucket, slow refusals': { server: (rate) => bucket(rate), load: { refusal: 1_000 } },
  'fixed minute, slow refusals': { server: (rate) => fixedWindow(rate), load: { refusal: 1_000 } },
  'bucket, a third': changed((rate) => bucket(rate), 1 / 3),
  'bucket, tripled': changed((rate) => bucket(rate), 3),
  'bucket, halved': changed((rate) => bucket(rate), 0.5),
  'bucket, doubled': changed((rate) => bucket(rate), 2),
  'fixed minute, halved': changed((rate) => fixedWindow(rate), 0.5),
  'fixed minute, doubled': changed((rate) => fixedWindow(rate), 2),
  'sliding log, halved': changed((rate) => slidingLog(rate), 0.5),
  'sliding log, doubled': changed((rate) => slidingLog(rate), 2),
  'bucket, two builds': { server: (rate) => bucket(rate), load: { begins: [0, 30_000] }, wanted: [0.9, 0.05] },
  'fixed minute, two builds': {
    server: (rate) => fixedWindow(rate),
    load: { begins: [0, 30_000] },
    wanted: [0.9, 0.05],
  },
  'bucket, bans a minute': banned(MINUTE, (rate) => bucket(rate)),
  'bucket, bans five': banned(5 * MINUTE, (rate) => bucket(rate)),
  'fixed minute, bans a minute': banned(MINUTE, (rate) => fixedWindow(rate)),
  'fixed minute, bans five': banned(5 * MINUTE, (rate) => fixedWindow(rate)),
  'bucket, bans and never forgets': banned(MINUTE, (rate) => bucket(rate), false),
  'chance 5 %': chance(0.05),
  'chance 20 %': chance(0.2),
  'chance 50 %': chance(0.5),
  'chance 10 % beside a bucket': {
    server: (rate) => both(careless(0.1), bucket(rate)),
    load: { minutes: 12 },
    wanted: [0.85, 0.3],
  },
};

const odds = (share: number): number => share / (1 - share);
const [part = ''] = process.argv.slice(2);
const isVerbose = process.argv.includes('-v');
const shown = (value: number, digits: number): string => value.toFixed(digits).padStart(5);
const width = Math.max(...Object.keys(KINDS).map(({ length }) => length));
console.log(`${''.padEnd(width)}  ${RATES.map((rate) => `${rate}/min: used, refused %`.padEnd(28)).join('')}`);
let misses = 0;
for (const [name, kind] of Object.entries(KINDS)) {
  if (!name.includes(part)) continue;
  const cells: string[] = [];
  const missed: string[] = [];
  for (const rate of RATES) {
    const [used, refused] = kind.wanted ?? WANTED;
    let worst: readonly [number, number] = [Number.POSITIVE_INFINITY, 0];
    for (const senders of SENDERS) {
      for (const latency of LATENCIES) {
        const demand = (0.95 * senders * MINUTE) / latency;
        if (demand < 1.1 * rate * (kind.most ?? 1) || (name.startsWith('chance') && (latency > 1_000 || senders > 64)))
          continue;
        const server = kind.server(rate);
        const says = kind.says?.(rate) ?? 'nothing';
        const outcome = drive(server, { minutes: MINUTES[rate]!, senders, latency, says, ...kind.load });
        const isChance = name.startsWith('chance') && !name.includes('beside');
        // What that many senders get of a server that has no limit at all.
        const most = isChance ? senders / ((latency + 20 * odds(kind.measure!(outcome, 1, server)[1])) / 1_000) : rate;
        const found = kind.measure?.(outcome, isChance ? most : rate, server);
        const cell = (isChance ? [found![0] / most, 0] : found) ?? [outcome.perMinute / rate, outcome.refused];
        if (cell[0]! < used || cell[1]! >= refused) {
          misses++;
          missed.push(
            `    ${rate}/min, ${senders} senders, ${latency} ms: ${shown(cell[0]!, 3)} ${shown(100 * cell[1]!, 2)}`,
          );
        }
        worst = [Math.min(worst[0], cell[0]!), Math.max(worst[1], cell[1]!)];
      }
    }
    const isMissed = worst[0] < used || worst[1] >= refused;
    cells.push(`${shown(worst[0], 3)} ${shown(100 * worst[1], 2)} ${isMissed ? '<<' : ''}`.padEnd(28));
  }
  console.log(`${name.padEnd(width)}  ${cells.join('')}`);
  if (isVerbose) for (const line of missed) console.log(line);
}
console.log(`\n${misses} cases miss what is wanted`);
process.exitCode = misses === 0 ? 0 : 1;
