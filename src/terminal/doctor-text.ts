/** The doctor's findings for people. */

import type { Json, JsonObject } from '../core/json.ts';
import type { ModelChecked } from '../doctor/events.ts';
import type { Check, CheckStatus } from '../doctor/probe.ts';
import type { ProbeCost } from '../doctor/probe-cost.ts';
import type { Findings } from '../doctor/run-probes.ts';
import { printable } from '../text/escape.ts';
import { dollars } from '../text/money.ts';
import type { Colour, Paint } from '../text/paint.ts';
import { counted } from '../text/plural.ts';
import { columnsOf, padEnd } from '../text/width.ts';

interface TextOptions {
  readonly paint: Paint;
  readonly columns: number;
}

const MARKS: Readonly<Record<CheckStatus, readonly [mark: string, colour: Colour]>> = {
  ok: ['✓', 'green'],
  note: ['·', 'dim'],
  warning: ['!', 'yellow'],
  failure: ['✗', 'red'],
};

/** Columns of a check's name. */
const NAME_COLUMNS = 12;
/** The narrowest that a text is broken to. */
const LEAST_COLUMNS = 40;

/** A provider, and each of its models. */
export function findingsText({ provider, models }: Findings, options: TextOptions): string {
  const { paint } = options;
  const lines = [
    paint('bold', printable(provider.provider)) + paint('dim', `  ${printable(provider.identity)}`),
    ...provider.checks.flatMap((each) => checkLines(each, '  ', options)),
  ];
  for (const model of models) lines.push('', ...modelLines(model, options));
  return `${lines.join('\n')}\n`;
}

function modelLines(model: ModelChecked, options: TextOptions): string[] {
  const { paint } = options;
  const nodes = `${counted(model.nodes.length, 'node')}: ${stagesOf(model.nodes).join(', ')}`;
  return [
    `  ${paint('bold', printable(nameOf(model)))}${paint('dim', `  ${printable(model.model)}`)}`,
    ...wrapped(`asked by ${nodes}`, options.columns - 4).map((line) => paint('dim', `    ${printable(line)}`)),
    ...model.checks.flatMap((each) => checkLines(each, '    ', options)),
    `    ${verdictText(model, options)}`,
  ];
}

const nameOf = ({ aliases, model }: ModelChecked): string => (aliases.length === 0 ? model : aliases.join(', '));

/** The nodes by the first part of their names. */
const stagesOf = (nodes: readonly string[]): string[] => [...new Set(nodes.map((node) => node.split('/')[0] ?? node))];

function verdictText(model: ModelChecked, { paint }: TextOptions): string {
  const cost = `${counted(model.calls, 'call')}, ${dollars(model.cost)}`;
  const warnings = model.checks.filter(({ status }) => status === 'warning').length;
  const but = warnings === 0 ? '' : `, with ${counted(warnings, 'warning')}`;
  switch (model.verdict) {
    case 'ok':
      return `${paint('green', paint('bold', 'ok'))}${but} ${paint('dim', `(${cost})`)}`;
    case 'would-fail':
      return `${paint('red', paint('bold', 'would fail'))}${repairText(model)} ${paint('dim', `(${cost})`)}`;
    case 'not-asked':
      return paint('yellow', paint('bold', 'not asked'));
  }
}

/** Said where the lines to paste are all that is missing. */
function repairText({ checks, settings }: ModelChecked): string {
  const names = Object.keys(settings);
  const failures = checks.filter(({ status }) => status === 'failure');
  const mends = names.length > 0 && failures.every(({ name }) => names.includes(name));
  return mends ? ' as it is written; the lines below mend it' : '';
}

function checkLines({ name, status, detail, hint }: Check, indent: string, options: TextOptions): string[] {
  const { paint } = options;
  const [mark, colour] = MARKS[status];
  const head = `${indent}${paint(colour, mark)} ${padEnd(name, NAME_COLUMNS)}`;
  const margin = ' '.repeat(indent.length + 2 + NAME_COLUMNS);
  const room = options.columns - margin.length;
  const lines = wrapped(printable(detail), room).map((line, index) => (index === 0 ? head : margin) + line);
  if (hint === undefined) return lines;
  const advice = wrapped(`hint: ${printable(hint)}`, room);
  return [
    ...lines,
    ...advice.map(
      (line) => margin + (line.startsWith('hint:') ? line.replace('hint:', paint('green', 'hint:')) : line),
    ),
  ];
}

/** Breaks at spaces; a word that is longer than a line has a line of its own. */
function wrapped(text: string, columns: number): string[] {
  const room = Math.max(columns, LEAST_COLUMNS);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && columnsOf(line) + 1 + columnsOf(word) > room) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** The differences between what was found and what the provider file says, as lines to paste; '' where there are none. */
export function settingsText(all: readonly Findings[], file: string, { paint }: TextOptions): string {
  const providers = all.map(({ provider }) => [provider.provider, provider.settings] as const);
  const models = all.flatMap((findings) =>
    findings.models.flatMap(({ aliases, settings }) => aliases.map((alias) => [alias, settings] as const)),
  );
  const lines = [...section('providers', providers), ...section('models', models)];
  if (lines.length === 0) return '';
  return `${paint('bold', `Found otherwise than ${printable(file)} says:`)}\n\n${lines.map((line) => `  ${line}`).join('\n')}\n\n`;
}

function section(title: string, entries: readonly (readonly [name: string, settings: JsonObject])[]): string[] {
  const differing = entries.filter(([, settings]) => Object.keys(settings).length > 0);
  if (differing.length === 0) return [];
  return [
    `${title}:`,
    ...differing.flatMap(([name, settings]) => [
      `  ${yamlKey(name)}:`,
      ...Object.entries(settings).map(([setting, value]) => `    ${setting}: ${valueText(value)}`),
    ]),
  ];
}

/** A list is written as YAML's flow, which JSON is. */
const valueText = (value: Json | undefined): string =>
  typeof value === 'object' ? printable(JSON.stringify(value)) : String(value);

/** A key as YAML takes it: quoted unless it is a plain word. */
const yamlKey = (name: string): string => (/^[A-Za-z_][\w.-]*$/.test(name) ? name : JSON.stringify(name));

/** Every model with its verdict, and who was not asked because nothing asks it. */
export function summaryText(all: readonly Findings[], unused: readonly string[], { paint }: TextOptions): string {
  const models = all.flatMap(({ models }) => models);
  const of = (verdict: ModelChecked['verdict']) =>
    models.filter((model) => model.verdict === verdict).map((model) => printable(nameOf(model)));
  const parts: readonly (readonly [string, Colour, readonly string[]])[] = [
    ['ok', 'green', of('ok')],
    ['would fail', 'red', of('would-fail')],
    ['not asked', 'yellow', of('not-asked')],
  ];
  const told = parts.filter(([, , names]) => names.length > 0);
  const lines = told.map(([word, colour, names]) => `${paint(colour, padEnd(word, NAME_COLUMNS))}${names.join(', ')}`);
  if (unused.length > 0) lines.push(paint('dim', `${padEnd('not needed', NAME_COLUMNS)}${unused.join(', ')}`));
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

interface Announced {
  readonly experiment: string;
  readonly profile: string;
  readonly cost: ProbeCost;
  readonly simulated: boolean;
}

/** What the probes may come to. */
export function announcement({ experiment, profile, cost: { calls, dollars: most }, simulated }: Announced): string {
  const title = printable(`${experiment}, profile ${profile}`);
  if (calls === 0) return `${title}: no model is called\n`;
  const cost = most === null ? 'at an unknown price' : `never above ${dollars(most)}`;
  const money = simulated ? '; simulated: nothing is charged' : '';
  return `${title}: at most ${counted(calls, 'call')}, ${cost}${money}\n`;
}
