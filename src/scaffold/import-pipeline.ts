/** A pipeline for imported data, with every file and policy spelled out, for its owner to edit. */

import { posix } from 'node:path';
import { stringify } from 'yaml';
import type { FoundData } from '../datasets/import/found-data.ts';
import { ESTIMATORS } from '../stats/index.ts';

/**
 * The ablations that the data can carry: every estimator that may head a report or takes the judge at its word; without
 * labels its variant without a calibration.
 *
 * @param shipped names of the files in `configs/ablations/`
 */
export function ablationsFor(holds: FoundData['holds'], shipped: ReadonlySet<string>): string[] {
  return ESTIMATORS.all.flatMap(({ name, needs, leads }) => {
    if (leads === undefined && needs.labels !== 'none') return [];
    if ((needs.log && !holds.logprobs) || (needs.draws && !holds.draws)) return [];
    if (needs.labels === 'none') return [name];
    if (needs.labels === 'correction') return holds.ownLabels ? [name] : [];
    const variant = holds.labels ? name : `${name}-uncalibrated`;
    return shipped.has(variant) ? [variant] : [];
  });
}

/**
 * @param data the folder of the data as the pipeline names it
 * @param ablations names of files in `configs/ablations/`
 */
export function importPipeline(name: string, found: FoundData, data: string, ablations: readonly string[]): string {
  const scorer = found.scorer ?? 'judge';
  return `# Estimates from evaluation data that is there already; nothing here calls a model.
# The data: ${found.format}.

name: ${scalar(name)}

# What \`cje build\` builds when no target is named.
default: report

vars:
  # Where the data is, from this file's folder.
  data: ${scalar(data)}

  # The estimators, each described by configs/ablations/NAME.yaml; that folder holds more of them.
  ablations:
${ablations.map((ablation) => `    - ${ablation}`).join('\n')}

stages:
  # The rows, checked: a bad one is named by its file and line, and nothing is computed until it is mended or dropped.
  dataset:
    kind: import
    params:
      scorer: ${scalar(scorer)}
${params(found).join('\n')}

      # Where a number stops being trustworthy.
      gates: configs/gates.yaml

  # Each estimator on the dataset.
  estimates:
    kind: estimate
    matrix:
      ablation: \${ablations}
    inputs:
      dataset: dataset
    params:
      name: \${ablation}
      scorer: ${scalar(scorer)}
      ablation: configs/ablations/\${ablation}.yaml
      gates: configs/gates.yaml

  # The ranking, in the terminal and under out/report/: tables, charts, data quality.
  report:
    kind: report
    inputs:
      datasets: dataset
      estimates: estimates/*
    params:
      title: ${scalar(name)}
`;
}

function params(found: FoundData): string[] {
  const { logger, policies, clone, logged, fresh, rows, tempered, offScale } = found;
  const lines: string[] = [];
  const say = (comment: string, ...settings: string[]) =>
    lines.push('', ...comment.split('\n').map((line) => `      # ${line}`), ...settings.map((line) => `      ${line}`));
  if (logger !== null)
    say('The policy that wrote the log. It is in no file, so see that it is right.', `logger: ${scalar(logger)}`);
  say(
    'The policies to evaluate, in the order of the report.',
    'policies:',
    ...policies.map((policy) => `  - ${scalar(policy)}`),
  );
  if (clone !== null) {
    say(
      'A second sample of the logger: its importance weights must be 1, or no estimate that uses weights is given.\nRemove the line if it is none.',
      `clone: ${scalar(clone)}`,
    );
  }
  if (logged !== null) say("The logger's responses.", `logged: ${path(logged)}`);
  if (fresh.size > 0) {
    const order = [...policies, ...(logger === null ? [] : [logger])].filter((policy) => fresh.has(policy));
    say(
      "Each policy's own responses.",
      'fresh:',
      ...order.map((policy) => `  ${key(policy)}: ${path(fresh.get(policy)!)}`),
    );
  }
  if (rows !== null) say('The rows of all policies.', `rows: ${path(rows)}`);
  for (const { setting, from, to } of offScale) {
    say(
      `${setting === 'judge_scale' ? 'Judge scores' : 'Labels'} go from ${from} to ${to}: declare their scale, lowest and highest possible value.`,
      `# ${setting}: [LOWEST, HIGHEST]`,
    );
  }
  if (tempered.length > 0) {
    say(
      'Policies that did not sample at temperature 1: their importance weights are off, and estimates are marked.',
      `tempered: ${flow(tempered)}`,
    );
  }
  say('`drop` leaves bad rows out and counts them in the data quality.', 'on_bad_row: refuse');
  return lines;
}

/** `\${` begins a reference in a pipeline. */
const literal = (text: string): string => text.replaceAll('${', '$${');

const scalar = (text: string): string => stringify(literal(text), { lineWidth: 0 }).trimEnd();
const path = (file: string): string =>
  stringify(`\${data}/${literal(file.replaceAll('\\', posix.sep))}`, { lineWidth: 0 }).trimEnd();
const key = (text: string): string => stringify(text, { lineWidth: 0 }).trimEnd();
const flow = (texts: readonly string[]): string =>
  stringify(texts.map(literal), { collectionStyle: 'flow', lineWidth: 0 }).trimEnd();
