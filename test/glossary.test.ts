/** One meaning a name: the words that the code no longer uses do not come back, and the glossary names what there is. */

import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');
const SOURCE = join(ROOT, 'src');

/** Names that were given up, by the room they must stay out of (`''`: every room), with the name that took their place. */
const GIVEN_UP: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '': {
    Delivery: 'CallResult',
    Buyer: 'ProviderClient',
    createBuyer: 'createProviderClient',
    PurchaseMeter: 'CallMeter',
    Desk: 'ProviderState',
    Places: 'Semaphore',
    Footing: 'Fingerprint',
    Taken: 'LockResult',
    Examination: 'ModelFindings',
    Prospect: 'ProbeCost',
    Looked: 'ListingResult',
    'not-bought': 'unavailable',
  },
  doctor: { Subject: 'ProbeTarget', Speech: 'ProbeDialect', examine: 'probeModel', consult: 'runProbes' },
  engine: {
    Outlook: 'PlannedOutput',
    Kept: 'DerivedBlob',
    Found: 'FinishedNode',
    Gate: 'Window',
    breath: 'yieldToEventLoop',
  },
  pipeline: { Found: 'LocatedValue', Reading: 'FileText', Budget: 'SpendingLimits' },
  kinds: { Verdict: 'JudgeScore' },
  providers: {
    Order: 'CallRequest',
    Verdict: 'Classified',
    Grant: 'Lease',
    offer: 'endpoint',
    believe: 'confirmFatal',
    suspicion: 'pendingFatal',
    Outcome: 'CallFeedback',
  },
  core: { Order: 'CallRequest', Run: 'SharedPiece', Budget: 'SpendingLimits' },
  replies: { Order: 'CallRequest', flights: 'inFlight', flying: 'inFlight', hopeless: 'unreachable' },
  simulator: { Verdict: 'Judgement', Speech: 'SentenceModel', Law: 'LevelLaw', Fault: 'ServerFault' },
  store: { sealed: 'checksummed', seal: 'addChecksum', Fault: 'PageDamage' },
  viewer: { Run: 'OpenBuild', Answer: 'HttpAnswer', Refusal: 'Rejection' },
};

const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => path.replaceAll('\\', '/'));

/** The code without comments and without texts of more than one word: a name is what is looked for. */
function namesIn(file: string): string {
  return readFileSync(join(SOURCE, file), 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(^|\s)\/\/.*$/gm, '')
    .replace(/'[^'\n]* [^'\n]*'|`[^`]*`/g, "''");
}

describe('names', () => {
  it.each(Object.entries(GIVEN_UP))('that were given up stay away: %s', (room, names) => {
    const back: string[] = [];
    for (const file of files.filter((path) => room === '' || path.startsWith(`${room}/`))) {
      const text = namesIn(file);
      for (const [old, now] of Object.entries(names)) {
        if (new RegExp(`(?<![\\w$.-])${old}(?![\\w$-])`).test(text)) back.push(`${file}: ${old}, now ${now}`);
      }
    }
    expect(back).toEqual([]);
  });

  it('of the glossary are in the code', () => {
    const code = files.map(namesIn).join('\n');
    const table = readFileSync(join(ROOT, 'docs/glossary.md'), 'utf8').split('## Words of the code')[1]!;
    const names = [...table.matchAll(/^\| (`[^|]*`) \|/gm)].flatMap(([, cell]) =>
      [...cell!.matchAll(/`(\w+)`/g)].map(([, name]) => name!),
    );
    expect(names.length).toBeGreaterThan(40);
    expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(code))).toEqual([]);
  });
});
