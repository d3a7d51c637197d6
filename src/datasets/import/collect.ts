/** Imported files put together: logged rows, fresh draws, and what was missing or dropped. */

import type { SourceFile } from '../../core/kind.ts';
import { nearest, type Problem, ProblemError } from '../../core/problem.ts';
import type { FreshRow, LoggedRow, TextRow } from '../dataset-rows.ts';
import type { SourceRecord, Table } from '../files/records.ts';
import { type RowMistake, rowMistakesProblem } from '../files/row-mistakes.ts';
import { readTable } from '../files/table.ts';
import { countBy, type Joined } from '../join.ts';
import { areWholeNumbers } from '../whole-numbers.ts';
import { newLabels } from './calibration-set.ts';
import { type ColumnMap, Columns, columnNames, type Field } from './columns.ts';
import { repeatedRows, SAME_AGAIN, severalFilters, where } from './odd-rows.ts';
import { type DrawRow, NO_VARIANCE, type ReadRow, RowReader, type RowTexts, type Scales } from './rows.ts';
import { noNumber, noValueHint, outsideScale, readId } from './values.ts';

interface ImportOptions {
  /** The policy that wrote the log; null where there is no log. */
  readonly logger: string | null;
  /** The policy that is a second sample of the logger, if there is one. */
  readonly clone: string | undefined;
  /** Target policies in the order of the report; absent: all that the files have, sorted. */
  readonly policies: readonly string[] | undefined;
  readonly columns: ColumnMap;
  /** Further columns that go along with the texts. */
  readonly keep: readonly string[];
  readonly scales: Scales;
  readonly missing: readonly string[];
  /** Keep the rows alone that have these values in these columns. */
  readonly where: Readonly<Record<string, string>>;
  readonly onBadRow: 'refuse' | 'drop';
  readonly tempered: readonly string[];
}

/** The files of an import, by the part they play. */
interface ImportFiles {
  readonly logged: SourceFile | undefined;
  readonly fresh: ReadonlyMap<string, SourceFile>;
  readonly probe: ReadonlyMap<string, SourceFile>;
  /** Labelled responses that teach the calibration alone. */
  readonly calibration: SourceFile | undefined;
  /** One file of all policies' rows, told apart by a column. */
  readonly rows: SourceFile | undefined;
}

/** Records of one policy, from one file. */
interface Group {
  readonly policy: string;
  readonly part: 'logged' | 'fresh' | 'probe' | 'calibration';
  readonly records: readonly SourceRecord[];
  /** Prompts of the file have ids; in a file without any they go by their text, as cje-eval has it. */
  readonly named: boolean;
}

/** A row that can be used, and what stood beside its numbers. */
interface Kept<R> {
  readonly row: R;
  readonly texts: RowTexts;
}

interface Collected {
  readonly joined: Joined;
  readonly texts: readonly TextRow[];
  /** For whoever builds: what was left out or is odd, counted and named. */
  readonly remarks: readonly string[];
}

/** @throws ProblemError naming every file, column and row that cannot be used. */
export async function collectImport(files: ImportFiles, options: ImportOptions): Promise<Collected> {
  const columns = new Columns(options.columns, options.keep);
  const faults = new FaultList(options.onBadRow);
  const groups = await readGroups(files, columns, options, faults);
  const targets = targetsOf(groups, columns, options);
  const ids = groups
    .flatMap(({ records, named }) => (named ? records : []))
    .map(({ fields }) => columns.read(fields, 'prompt_id'));
  const reader = new RowReader(columns, options.scales, areWholeNumbers(ids.filter((id) => id !== null)));
  const log: Kept<LoggedRow>[] = [];
  const draws = new Map<string, Kept<DrawRow>[]>();
  const probes = new Map<string, Kept<DrawRow>[]>();
  let set: readonly Kept<DrawRow>[] = [];
  for (const group of groups) {
    const rows: Kept<DrawRow>[] = group.part === 'fresh' ? (draws.get(group.policy) ?? []) : [];
    const before = log.length + rows.length;
    for (const record of group.records) {
      if (group.part === 'logged') faults.keep(reader.logged(record, targets, group.named), group.policy, log);
      else faults.keep(reader.fresh(record, group.policy, group.named), group.policy, rows);
    }
    if (group.part === 'fresh') draws.set(group.policy, rows);
    if (group.part === 'probe') probes.set(group.policy, rows);
    if (group.part === 'calibration') set = rows;
    if (group.records.length > 0 && log.length + rows.length === before) faults.nothingLeft();
  }
  faults.settle();
  const { logger } = options;
  const logged = log.map(({ row }) => row);
  // Without a log of its own the logger's draws are the log: the calibration is learnt on their labels.
  if (logged.length === 0 && logger !== null) {
    for (const { policy: _, draw_index: __, ...row } of (draws.get(logger) ?? []).map((kept) => kept.row)) {
      logged.push({ ...row, base_logprob: null, target_logprobs: allMissing(targets) });
    }
  }
  const order = logger === null ? targets : [...targets, logger];
  const drawn = order.flatMap((policy) => numbered(draws.get(policy) ?? [], faults));
  const fresh = drawn.map(({ row }) => row);
  const probe = targets.flatMap((policy) =>
    numbered(probes.get(policy) ?? [], faults).map(({ row }) => ({ ...row, part: 'probe' }) as const),
  );
  const added = newLabels(
    numbered(set, faults).map(({ row }) => row),
    logged,
  );
  const calibrationSet = added.rows.map((row) => ({ ...row, part: 'calibration' }) as const);
  if (added.remark !== null) faults.remark(added.remark(options.scales.label));
  const joined: Joined = {
    logged,
    fresh,
    ...(calibrationSet.length === 0 ? {} : { calibrationSet }),
    ...(probe.length === 0 ? {} : { probe }),
    targets,
    logprobStatuses: logprobStatuses(logged, logger, targets),
    tempered: new Set(options.tempered),
    scoreStatuses: new Map(
      logger === null ? [] : [[logger, countBy(logged, (row) => (row.judge_score === null ? 'missing' : 'ok'))]],
    ),
    responseStatuses: new Map(),
    truncated: new Map(),
    notes: faults.notes(
      [...logged, ...fresh].some((row) => (row.judge_variance ?? 0) > 0) ? 'states-variances' : 'states-none',
    ),
  };
  const texts = textRows([
    ...log.map(({ row, texts: of }) => ({ policy: logger ?? '', prompt_id: row.prompt_id, ...of })),
    ...drawn.map(({ row: { policy, prompt_id, draw_index = 0 }, texts: of }) => ({
      policy,
      prompt_id,
      ...of,
      draw_index,
    })),
  ]);
  return { joined, texts, remarks: [...faults.remarks, ...faults.dropped()] };
}

async function readGroups(
  files: ImportFiles,
  columns: Columns,
  { logger, missing, where: filter }: ImportOptions,
  faults: FaultList,
): Promise<Group[]> {
  const options = { missing: new Set(missing), wanted: (name: string) => columns.wanted(name) };
  const groups: Group[] = [];
  const tables: Table[] = [];
  const problems: Problem[] = [];
  const open = async (file: SourceFile, policy: string | null, required: readonly Field[]) => {
    const whole = await readTable(file, options);
    tables.push(whole);
    const table = { ...whole, records: where(whole.records, filter) };
    const filters = severalFilters(table.records, columns);
    if (filters !== undefined) problems.push({ ...filters, place: { file: file.label } });
    const repeated = repeatedRows(table.records);
    if (repeated.note !== undefined) faults.remark(repeated.note);
    for (const fault of repeated.faults) faults.add(fault, policy ?? file.label);
    for (const fault of table.faults) faults.add(fault, policy ?? file.label);
    if (table.records.length === 0 && table.faults.length === 0) {
      problems.push({ id: 'CJE-BAD-DATA', headline: 'this file has no rows', place: { file: file.label } });
    } else if (table.records.length === 0) faults.nothingLeft();
    else problems.push(...absentColumns(table, file, columns, required));
    const has = (field: Field) => table.records.some(({ fields }) => columns.read(fields, field) !== null);
    return { records: repeated.records, named: has('prompt_id') || !has('prompt') };
  };
  if (files.logged !== undefined && logger !== null) {
    groups.push({ policy: logger, part: 'logged', ...(await open(files.logged, logger, ['judge_score'])) });
  }
  for (const [policy, file] of files.fresh) {
    groups.push({ policy, part: 'fresh', ...(await open(file, policy, ['judge_score'])) });
  }
  for (const [policy, file] of files.probe) {
    groups.push({ policy, part: 'probe', ...(await open(file, policy, ['judge_score', 'oracle_label'])) });
  }
  if (files.calibration !== undefined && logger !== null) {
    const opened = await open(files.calibration, logger, ['judge_score', 'oracle_label']);
    groups.push({ policy: logger, part: 'calibration', ...opened });
  }
  if (files.rows !== undefined) {
    const { records, named } = await open(files.rows, null, ['policy', 'judge_score']);
    const byPolicy = new Map<string, SourceRecord[]>();
    for (const record of records) {
      const policy = readId(columns.read(record.fields, 'policy'), 'policy');
      if (!policy.ok) faults.add({ at: record.at, ...policy }, files.rows.label);
      else {
        const rows = byPolicy.get(policy.value);
        if (rows === undefined) byPolicy.set(policy.value, [record]);
        else rows.push(record);
      }
    }
    for (const [policy, of] of byPolicy) {
      groups.push({ policy, part: policy === logger ? 'logged' : 'fresh', records: of, named });
    }
  }
  for (const { column, hint } of columns.unknown(tables)) {
    problems.push({ id: 'CJE-NO-COLUMN', headline: `no file has the column '${column}'`, hint });
  }
  if (problems.length > 0) throw oneProblem(problems);
  return groups;
}

/** A file in which no row has a field that each needs: a misnamed column, not as many bad rows. */
function absentColumns(table: Table, file: SourceFile, columns: Columns, required: readonly Field[]): Problem[] {
  const readable = (field: Field) => table.records.some(({ fields }) => columns.read(fields, field) !== null);
  const absent: Field[] = required.filter((field) => !readable(field));
  if (!readable('prompt_id') && !readable('prompt')) absent.unshift('prompt_id');
  return absent.map((field) => {
    const known = columnNames(table);
    const names = columns.names(field);
    const near = names.map((name) => nearest(name, known)).find((name) => name !== undefined);
    return {
      id: 'CJE-NO-COLUMN',
      headline: `no row of ${file.label} has a ${field}`,
      facts: [
        ['looked for', names.join(', ')],
        ['it has', known.slice(0, 30).join(', ')],
      ],
      place: { file: file.label },
      hint: `Name the column under \`columns:\`, such as \`${field}: ${near ?? known[0] ?? 'NAME'}\`.`,
    };
  });
}

/** A node fails with one problem: the first, and the others as its facts. */
function oneProblem(problems: readonly Problem[]): ProblemError {
  const [first, ...others] = problems;
  const facts = others.map(
    ({ headline, hint }) => ['also', hint === undefined ? headline : `${headline}. ${hint}`] as const,
  );
  return new ProblemError({ ...first!, facts: [...(first!.facts ?? []), ...facts] });
}

/** @throws ProblemError for a policy that is named in the pipeline and in no file. */
function targetsOf(groups: readonly Group[], columns: Columns, options: ImportOptions): readonly string[] {
  const { logger, clone, policies, tempered } = options;
  // A calibration set goes by the logger's name whoever wrote it.
  const writers = new Set(groups.flatMap(({ part, policy }) => (part === 'calibration' ? [] : [policy])));
  const found = new Set(groups.flatMap(({ part, policy }) => (part === 'fresh' ? [policy] : [])));
  for (const { part, records } of groups) {
    if (part !== 'logged') continue;
    for (const { fields } of records) for (const target of columns.targets(fields)?.keys() ?? []) found.add(target);
  }
  const named = [...(policies ?? []), ...(clone === undefined ? [] : [clone]), ...tempered];
  const unknown =
    logger !== null && !writers.has(logger) ? logger : named.find((policy) => policy !== logger && !found.has(policy));
  if (unknown === undefined) return policies ?? [...found].filter((policy) => policy !== logger).sort();
  const known = [...new Set([...writers, ...found])].sort();
  const near = nearest(unknown, known);
  throw new ProblemError({
    id: 'CJE-UNKNOWN-POLICY',
    headline: `no file has the policy '${unknown}'`,
    facts: [['found', known.join(', ') || 'none']],
    ...(near === undefined ? {} : { hint: `Did you mean '${near}'?` }),
  });
}

const allMissing = (targets: readonly string[]) => Object.fromEntries(targets.map((target) => [target, null]));

/** Draws with their indexes: those given, else 0, 1, … within a prompt. */
function numbered(rows: readonly Kept<DrawRow>[], faults: FaultList): Kept<FreshRow>[] {
  const seen = new Map<string, number>();
  const taken = new Set<string>();
  return rows.map(({ row, texts }) => {
    const next = seen.get(row.prompt_id) ?? 0;
    seen.set(row.prompt_id, next + 1);
    const identity = `${row.draw_index}\n${row.prompt_id}`;
    if (row.draw_index !== null && taken.has(identity)) faults.note('draw index of its own', row.policy);
    taken.add(identity);
    return { row: { ...row, draw_index: row.draw_index ?? next }, texts };
  });
}

/** Rows with any text; a prompt that is written once stands for all rows of its id. */
function textRows(rows: readonly TextRow[]): TextRow[] {
  const prompts = new Map(rows.flatMap(({ prompt_id, prompt }) => (prompt === null ? [] : [[prompt_id, prompt]])));
  return rows.map((row) => ({ ...row, prompt: row.prompt ?? prompts.get(row.prompt_id) ?? null })).filter(hasText);
}

const hasText = ({ prompt, response, rationale, columns }: TextRow): boolean =>
  prompt !== null || response !== null || rationale !== undefined || columns !== undefined;

/** Of each policy with any log probability; one without any was never measured, so there is nothing to judge. */
function logprobStatuses(
  logged: readonly LoggedRow[],
  logger: string | null,
  targets: readonly string[],
): Map<string, Map<string, number>> {
  const statuses = new Map<string, Map<string, number>>();
  const count = (policy: string, value: (row: LoggedRow) => number | null) => {
    const counts = countBy(logged, (row) => (value(row) === null ? 'missing' : 'ok'));
    if (counts.has('ok')) statuses.set(policy, counts);
  };
  if (logger !== null) count(logger, (row) => row.base_logprob);
  for (const target of targets) count(target, (row) => row.target_logprobs[target] ?? null);
  return statuses;
}

/** The setting that declares a field's scale. */
const SCALES = { judge_score: 'judge_scale: [0, 10]', oracle_label: 'label_scale: [1, 5]' };

/** Faults and notes of all rows: refused together, or counted. */
class FaultList {
  readonly #onBadRow: ImportOptions['onBadRow'];
  readonly #faults: RowMistake[] = [];
  readonly #dropped = new Map<string, number>();
  readonly #notes = new Map<string, number>();
  readonly remarks: string[] = [];
  #nothingLeft = false;

  constructor(onBadRow: ImportOptions['onBadRow']) {
    this.#onBadRow = onBadRow;
  }

  add(fault: RowMistake, of: string): void {
    this.#faults.push(fault);
    increment(this.#dropped, `usable row of ${of}, dropped: ${fault.category}`);
  }

  /** Keeps a row that can be used. A bad one is counted once, by its first fault. */
  keep<R>(read: ReadRow<R>, policy: string, rows: Kept<R>[]): void {
    if (read.ok) {
      rows.push({ row: read.row, texts: read.texts });
      for (const note of read.notes) this.note(note, policy);
      return;
    }
    const [first, ...others] = read.faults;
    if (first !== undefined) this.add(first, policy);
    this.#faults.push(...others);
  }

  /** Something about a whole file, for whoever builds. */
  remark(text: string): void {
    this.remarks.push(text);
  }

  note(text: string, policy: string): void {
    increment(this.#notes, `${text}\n${policy}`);
  }

  /** All rows of a file or of a policy are bad: a mistake in the settings, whatever is said about bad rows. */
  nothingLeft(): void {
    this.#nothingLeft = true;
  }

  /** @throws ProblemError with the rows that cannot be used, unless they are to be dropped. */
  settle(): void {
    if (this.#faults.length === 0 || (this.#onBadRow === 'drop' && !this.#nothingLeft)) return;
    const settings = Object.entries(SCALES).filter(([field]) =>
      this.#faults.some(({ category }) => category === outsideScale(field)),
    );
    const words = Object.keys(SCALES).some((field) =>
      this.#faults.some(({ category }) => category === noNumber(field)),
    );
    const scale = [
      noValueHint(this.#faults.map(({ category }) => category)),
      ...settings.map(([, setting]) => `Declare the scale, such as \`${setting}\`. `),
      ...(this.#faults.some(({ category }) => category === SAME_AGAIN)
        ? ['Draws of their own need a draw_index. ']
        : []),
      ...(words ? ['Say what words stand for, such as `values: {good: 1, bad: 0}`. '] : []),
    ].join('');
    throw rowMistakesProblem(
      this.#faults,
      this.#onBadRow === 'drop'
        ? `${scale}No usable row would be left of a file.`
        : `${scale}Mend the rows, or leave them out and have them counted with \`on_bad_row: drop\`.`,
    );
  }

  /** What was left out, a line a reason. */
  dropped(): string[] {
    return [...this.#dropped].map(([what, count]) => `${count} ${count === 1 ? 'row' : 'rows'} left out: ${what}`);
  }

  /**
   * Counts for the quality summary.
   * @param judge one that states no variance at all is a deterministic one, and lacks nothing
   */
  notes(judge: 'states-variances' | 'states-none'): Record<string, number> {
    const notes = Object.fromEntries(this.#dropped);
    for (const [key, count] of this.#notes) {
      const [text = '', policy = ''] = key.split('\n');
      if (judge === 'states-variances' || text !== NO_VARIANCE) notes[`${text} (${policy})`] = count;
    }
    return notes;
  }
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
