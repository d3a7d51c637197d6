import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type {
  CallFailure,
  FatalFailure,
  PermanentFailure,
  StoppedCall,
  TransientFailure,
} from '../../src/core/call.ts';
import { type BuildEvent, EVENTS_VERSION, type NodeOutcome } from '../../src/core/events.ts';
import { EXIT, type Place, type Problem } from '../../src/core/problem.ts';
import type { CallTally, Summary } from '../../src/core/summary.ts';
import type { DoctorEvent } from '../../src/doctor/events.ts';
import type { Check, CheckStatus } from '../../src/doctor/probe.ts';
import type { ModelVerdict } from '../../src/doctor/probe-model.ts';
import { painter } from '../../src/text/paint.ts';
import { permanentLines } from '../../src/ui/lines.ts';

const page = readFileSync(new URL('../../docs/events.md', import.meta.url), 'utf8');

/** Every key of T, kept complete by the type checker. */
type Keys<T> = { readonly [K in keyof Required<T>]: true };
type Fields = { readonly [T in BuildEvent['type']]: Keys<Extract<BuildEvent, { type: T }>> };

const FIELDS: Fields = {
  started: { type: true, version: true, experiment: true, profile: true, targets: true, nodes: true, stages: true },
  planned: { type: true, calls: true, dollars: true, nodes: true },
  'node-started': { type: true, node: true, stage: true, kind: true, reason: true },
  'node-items': { type: true, node: true, items: true },
  'node-progress': {
    type: true,
    node: true,
    done: true,
    items: true,
    bought: true,
    cached: true,
    failed: true,
    inFlight: true,
    cost: true,
  },
  'node-finished': {
    type: true,
    node: true,
    stage: true,
    outcome: true,
    unfinished: true,
    summary: true,
    reason: true,
    calls: true,
    cost: true,
    unknown: true,
    milliseconds: true,
  },
  workers: { type: true, workers: true, places: true, waiting: true, inHand: true, done: true, here: true },
  'work-returned': { type: true, node: true, reason: true },
  'call-retry': { type: true, node: true, failure: true, waitMilliseconds: true },
  'call-failed': { type: true, node: true, item: true, failure: true },
  'provider-stopped': { type: true, identity: true, failure: true },
  'budget-reached': { type: true, limit: true, spent: true, bound: true },
  problem: { type: true, problem: true },
  note: { type: true, text: true },
  finished: { type: true, exit: true, build: true, milliseconds: true, nodes: true, calls: true, cost: true },
};

type DoctorFields = { readonly [T in DoctorEvent['type']]: Keys<Extract<DoctorEvent, { type: T }>> };

const DOCTOR_FIELDS: DoctorFields = {
  'probes-planned': { type: true, calls: true, dollars: true, simulated: true },
  'provider-checked': { type: true, provider: true, identity: true, checks: true, settings: true },
  'model-checked': {
    type: true,
    provider: true,
    model: true,
    aliases: true,
    nodes: true,
    verdict: true,
    checks: true,
    settings: true,
    calls: true,
    cost: true,
    unknown: true,
  },
};
const CHECK: Keys<Check> = { name: true, status: true, detail: true, hint: true };
const CHECK_STATUSES: Readonly<Record<CheckStatus, true>> = { ok: true, note: true, warning: true, failure: true };
const VERDICTS: Readonly<Record<ModelVerdict, true>> = { ok: true, 'would-fail': true, 'not-asked': true };

const REASONS: {
  readonly [C in CallFailure['class']]: Readonly<Record<Extract<CallFailure, { class: C }>['reason'], true>>;
} = {
  permanent: {
    refused: true,
    filtered: true,
    empty_response: true,
    wrong_model: true,
    context_overflow: true,
    rejected: true,
    key_repeated: true,
    malformed_reply: true,
  } satisfies Record<PermanentFailure['reason'], true>,
  transient: {
    rate_limited: true,
    overloaded: true,
    timeout: true,
    connection: true,
    server_error: true,
    bad_reply: true,
    lost_in_batch: true,
    batch_refused: true,
    batch_limit: true,
  } satisfies Record<TransientFailure['reason'], true>,
  fatal: {
    no_key: true,
    bad_key: true,
    no_credit: true,
    unknown_model: true,
    not_allowed: true,
    moved: true,
    untrusted: true,
    bad_setting: true,
    engine_lost: true,
  } satisfies Record<FatalFailure['reason'], true>,
  stopped: {
    budget: true,
    interrupted: true,
    offline: true,
    no_till: true,
    till_failed: true,
    till_cap: true,
    elsewhere: true,
    unresolved: true,
  } satisfies Record<StoppedCall['reason'], true>,
};
const OUTCOMES: Readonly<Record<NodeOutcome, true>> = {
  run: true,
  cached: true,
  failed: true,
  refused: true,
  skipped: true,
};
const PROBLEM: Keys<Problem> = { id: true, headline: true, facts: true, place: true, hint: true };
const PLACE: Keys<Place> = { file: true, line: true, column: true, excerpt: true, width: true };
const SUMMARY: Keys<Summary> = { items: true, statuses: true, calls: true, refusal: true, notes: true };
const TALLY: Keys<CallTally> = {
  identity: true,
  model: true,
  calls: true,
  inputTokens: true,
  cachedInputTokens: true,
  outputTokens: true,
  served: true,
  uncounted: true,
  excessive: true,
};

/** The text under a heading, up to the next one. */
function section(heading: string): string {
  const at = page.indexOf(`\n### ${heading}\n`);
  expect(at, `a section ${heading}`).toBeGreaterThan(0);
  const body = page.slice(at + heading.length + 6);
  const end = body.search(/\n##+ /);
  return end === -1 ? body : body.slice(0, end);
}

/** The first column of a section's table, below its head, with whether the row says that the field is optional. */
const fieldsOf = (text: string) =>
  [...text.matchAll(/^\| `?([^`|]+?)`? \|([^|]*)\|/gm)]
    .map(([, name = '', type = '']) => ({ name: name.trim(), optional: type.includes('optional') }))
    .slice(1);

/** The one example of an event's section, whose table must name every field, as must the example. */
function describedExample(type: string, expected: object): object {
  const text = section(`\`${type}\``);
  const fields = fieldsOf(text);
  const names = Object.keys(expected).filter((name) => name !== 'type');
  expect(fields.map(({ name }) => name).sort()).toEqual(names.sort());

  const examples = [...text.matchAll(/```json\n(.*)\n```/g)].map(
    ([, line = '']) => JSON.parse(line) as { type: string },
  );
  expect(examples.length).toBe(1);
  const [example] = examples as [{ type: string }];
  expect(example.type).toBe(type);
  for (const { name, optional } of fields) if (!optional) expect(example).toHaveProperty(name);
  for (const name of Object.keys(example)) expect(Object.keys(expected)).toContain(name);
  return example;
}

const CONTEXT = { failuresBefore: 0, stage: undefined, names: [], now: 0 };

describe('docs/events.md', () => {
  it('has a section for every event, and none for an event that is not', () => {
    const documented = [...page.matchAll(/^### `([^`]+)`$/gm)].map(([, name]) => name);
    expect(documented.sort()).toEqual([...Object.keys(FIELDS), ...Object.keys(DOCTOR_FIELDS)].sort());
    expect(page).toContain(`now **${EVENTS_VERSION}**`);
  });

  it.each(Object.keys(FIELDS) as BuildEvent['type'][])('describes every field of %s, and shows one', (type) => {
    const example = describedExample(type, FIELDS[type]) as BuildEvent;
    // The listeners must be able to show what the page shows.
    expect(() =>
      permanentLines(example, CONTEXT, { paint: painter(false), color: false, verbose: true }),
    ).not.toThrow();
  });

  it.each(Object.keys(DOCTOR_FIELDS) as DoctorEvent['type'][])('does so for %s of the doctor', (type) => {
    describedExample(type, DOCTOR_FIELDS[type]);
  });

  it('names every outcome, reason, field and exit code', () => {
    expect(fieldsOf(section('Outcomes')).map(({ name }) => name)).toEqual(Object.keys(OUTCOMES));
    const failures = section('Failure');
    for (const [name, reasons] of Object.entries(REASONS)) {
      const row = failures.split('\n').find((line) => line.startsWith(`| \`${name}\``)) ?? '';
      const named = [...(row.split('|')[2] ?? '').matchAll(/`([^`]+)`/g)].map(([, reason]) => reason);
      expect(named).toEqual(Object.keys(reasons));
    }
    expect(fieldsOf(section('Problem')).map(({ name }) => name)).toEqual(Object.keys(PROBLEM));
    for (const name of Object.keys(PLACE)) expect(section('Problem')).toContain(`\`${name}\``);
    expect(fieldsOf(section('Check')).map(({ name }) => name)).toEqual(Object.keys(CHECK));
    for (const name of Object.keys(CHECK_STATUSES)) expect(section('Check')).toContain(`\`${name}\``);
    for (const name of Object.keys(VERDICTS)) expect(section('`model-checked`')).toContain(`\`${name}\``);
    expect(fieldsOf(section('Summary')).map(({ name }) => name)).toEqual(Object.keys(SUMMARY));
    for (const name of Object.keys(TALLY)) expect(section('Summary')).toContain(`\`${name}\``);
    expect(
      fieldsOf(section('Exit codes'))
        .map(({ name }) => Number(name))
        .sort(),
    ).toEqual(Object.values(EXIT).sort());
  });
});
