/** What the ids of problems with caches and shared caches mean: a part of `catalogue.ts`. */

export const cache = {
  'CJE-CACHE-DAMAGED': [
    'Something in the cache is not what was written.',
    '`cje cache verify` sets aside what is damaged and saves every reply that can be read; the next build makes the rest again.',
    'damaged',
  ],
  'CJE-CACHE-FULL': [
    'There is no space left for the cache, or for the copies under `out/`: the disk is full, a quota is used up, or a file may become no longer (`ulimit -f`). Everything that was reported as bought is kept.',
    'Free some space, and build again; `cje cache gc` shrinks the cache.',
    'failed',
  ],
  'CJE-CACHE-NEWER': [
    'The cache was written by a newer `cje`.',
    'Update `cje`, or move the cache folder aside.',
    'badInput',
  ],
  'CJE-CACHE-UNREADABLE': [
    'The cache folder may not be read.',
    'Give yourself read and write permission on it.',
    'badInput',
  ],
  'CJE-CACHE-UNWRITABLE': [
    'The cache folder cannot be written to.',
    'Give yourself write permission on it, or check the disk.',
    'badInput',
    'failed',
  ],
  'CJE-NOT-A-PACK': ['The file is no pack.', '`cje cache export` makes one.', 'badInput'],
  'CJE-PACK-CHANGED': ['The pack changed while it was imported.', 'Import it again when it is complete.', 'damaged'],
  'CJE-PACK-DAMAGED': ['The pack is damaged. Nothing was imported.', 'Fetch it again.', 'damaged'],
  'CJE-PACK-NEWER': ['The pack was made by a newer `cje`.', 'Update `cje`.', 'badInput'],
  'CJE-PACK-UNEXPECTED': [
    'The pack has another digest than `--expect` says. Nothing was imported.',
    'Fetch it again, or ask who made it for its digest.',
    'damaged',
  ],
} as const;

export const remote = {
  'CJE-CLUSTER-MISSING': [
    'No till or cluster is named: there is no cje.remote.yaml beside pipeline.yaml or in the configuration folder, or it has no `cluster:`.',
    'Write one: docs/cluster.md shows it.',
    'badInput',
  ],
  'CJE-REDIS-UNREACHABLE': [
    'Redis does not answer, so nothing can be claimed and nothing is bought through a till. What was bought is kept.',
    'Start it, or mend `cluster.redis` in cje.remote.yaml; the next build goes on.',
    'failed',
  ],
  'CJE-REDIS-REFUSES': [
    'Redis answers a till or a worker with an error: it has no memory or no disk left, is a replica, or wants a password.',
    'Mend what it says; docs/cluster.md says how it is to be set. Nothing is lost meanwhile.',
    'failed',
  ],
  'CJE-CLUSTER-UNHEARD': [
    'Nothing was heard of a till or a worker for too long: Redis was gone, or the machine was asleep or had too much to do. What it had in hand may have gone to another. What a till finishes is kept all the same, and its open tries are booked as unknown; what a worker does twice is the same bytes.',
    'Give the machine more time, or set a longer `lease_seconds`.',
    'failed',
  ],
  'CJE-TILL-FAILED': [
    'The till that is open could not buy: an error of its own, such as a full disk, or an answer of another version of `cje`.',
    'Look at what `cje till` says, and mend it; what was bought is kept, and the next build goes on.',
    'failed',
  ],
  'CJE-ANSWER-ELSEWHERE': [
    'The ledger knows that an earlier till has bought an answer, and neither the till that is open nor Redis nor a shared cache has it. It is not bought twice by itself; all other calls are bought.',
    'Open the till in the folder whose cache has it, or give that cache to the shared one with `cje cache push`. Where it is lost, `cje cluster resolve --missing` lets such calls be bought again.',
    'stopped',
  ],
  'CJE-CALLS-UNRESOLVED': [
    'Tills have died with a call as often as `buy_again` of cje.remote.yaml allows. Each time it may have been billed, so it is bought again only on a person’s word.',
    'Look at the bill; then `cje cluster resolve`.',
    'stopped',
  ],
  'CJE-REMOTE-MISSING': [
    'No shared cache is named: there is no cje.remote.yaml beside pipeline.yaml or in the configuration folder, or it has no `remote:`.',
    'Write one: docs/team.md shows five lines.',
    'badInput',
  ],
  'CJE-REMOTE-NAME-TAKEN': [
    'Where a signed object was to be written into the shared cache, something else stands.',
    'Find out who may write to that place, and remove the object.',
    'damaged',
  ],
  'CJE-REMOTE-NO-KEY': [
    'No credentials for the bucket of the shared cache were found.',
    'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a `profile` or a `key_command` in cje.remote.yaml.',
    'badInput',
  ],
  'CJE-REMOTE-NO-SIGNING-KEY': [
    'This machine has no key to sign with, or its file holds none, so it may read the shared cache and not write to it.',
    '`cje cache keygen` makes one; list its public half under `trusted`.',
    'badInput',
  ],
  'CJE-REMOTE-NOT-BELIEVED': [
    'Objects of the shared cache are unsigned, damaged, or signed by a key that is not trusted. Nothing of them was used.',
    'Find out who wrote them. A colleague that is to be believed is listed under `trusted`.',
    'damaged',
  ],
  'CJE-REMOTE-NOT-TRUSTED': [
    'This machine signs with a key that its own cje.remote.yaml does not trust, so nobody would take what it writes.',
    'List its public key under `trusted`.',
    'badInput',
  ],
  'CJE-REMOTE-REFUSED': [
    'The service of the shared cache refuses the request.',
    'Check `url`, `endpoint` and `region` in cje.remote.yaml, and the credentials.',
    'failed',
  ],
  'CJE-REMOTE-UNREACHABLE': [
    'The bucket or folder of the shared cache cannot be reached. Builds go on without it; what they buy stays in .cache.',
    'Check the network or the mount; a later `cje cache push` carries what was bought meanwhile.',
    'failed',
  ],
} as const;
