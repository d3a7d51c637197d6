/** Batches as the simulator holds them, whatever API they came by. */

import { digestText } from '../../core/digest.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { Reply } from '../world/index.ts';
import { type BatchTrouble, strikes } from './trouble.ts';

/** One request of a batch. */
export interface JobRow {
  readonly id: string;
  readonly path: string;
  readonly body: JsonObject;
}

/** A row as it ended; `undone` where the batch was cut short before it. */
export interface EndedRow {
  readonly id: string;
  readonly reply: Reply | 'undone';
}

type JobEnd = 'completed' | 'expired' | 'cancelled' | 'refused';

export interface Job {
  readonly id: string;
  readonly rows: readonly JobRow[];
  /** What its API remembers beside. */
  readonly fields: JsonObject;
  readonly createdAt: number;
  /** What is wrong with it as a whole. */
  readonly mistake: { readonly code: string; readonly message: string; readonly line: number | null } | undefined;
  cancelledAt: number | undefined;
  ended: { readonly at: number; readonly end: JobEnd; readonly rows: readonly EndedRow[] } | undefined;
}

/** Answers one request as it would be online. */
export type Answer = (row: JobRow) => Reply;

/** Rows that are answered between two turns of the event loop. */
const ROWS_A_TURN = 32;
const BYTES_PER_TOKEN = 4;

export class Jobs {
  readonly #jobs = new Map<string, Job>();
  readonly #answer: Answer;
  readonly #now: () => number;
  readonly trouble: BatchTrouble;
  #made = 0;

  constructor(answer: Answer, trouble: BatchTrouble, now: () => number) {
    this.#answer = answer;
    this.#now = now;
    this.trouble = trouble;
  }

  get now(): number {
    return this.#now();
  }

  /** A name that no other thing has. */
  newName(kind: string): string {
    return `${kind}${digestText(`${kind} ${this.#made++}`).slice(0, 24)}`;
  }

  make(id: string, rows: readonly JobRow[], fields: JsonObject, mistake: Job['mistake']): Job {
    const job: Job = {
      id,
      rows,
      fields,
      createdAt: this.#now(),
      mistake: mistake ?? this.#tooMuch(rows),
      cancelledAt: undefined,
      ended: undefined,
    };
    this.#jobs.set(id, job);
    return job;
  }

  #tooMuch(rows: readonly JobRow[]): Job['mistake'] {
    const { enqueued_tokens: most } = this.trouble;
    if (most === undefined) return undefined;
    const waiting = [...this.#jobs.values()].filter(({ ended }) => ended === undefined);
    const tokens = [...waiting, { rows }].reduce((sum, job) => sum + tokensOf(job.rows), 0);
    if (tokens <= most) return undefined;
    return {
      code: 'token_limit_exceeded',
      message: `Enqueued token limit reached: ${tokens} of ${most}. Try again when other batches have ended.`,
      line: null,
    };
  }

  /** As it is now. */
  async get(id: string): Promise<Job | undefined> {
    const job = this.#jobs.get(id);
    if (job !== undefined) await this.#end(job);
    return job;
  }

  /** Newest first, without those that are too young to be listed. */
  async list(): Promise<Job[]> {
    const shown = this.#now() - this.trouble.hidden_seconds * 1000;
    const jobs = [...this.#jobs.values()].filter(({ createdAt }) => createdAt <= shown).reverse();
    for (const job of jobs) await this.#end(job);
    return jobs;
  }

  cancel(job: Job): void {
    job.cancelledAt ??= this.#now();
  }

  /** Whether what came back can still be read. */
  hasResults({ ended }: Job): boolean {
    const { gone_seconds: gone } = this.trouble;
    return ended !== undefined && (gone === undefined || this.#now() < ended.at + gone * 1000);
  }

  async #end(job: Job): Promise<void> {
    if (job.ended !== undefined) return;
    const due = job.createdAt + this.trouble.seconds * 1000;
    const cancelled = job.cancelledAt !== undefined && job.cancelledAt < due;
    if (!cancelled && this.#now() < due) return;
    if (job.mistake !== undefined) {
      job.ended = { at: this.#now(), end: 'refused', rows: [] };
      return;
    }
    const expired = !cancelled && strikes(this.trouble, this.trouble.expire, 'expire', job.id);
    const cut = cancelled || expired;
    const rows: EndedRow[] = [];
    for (const [index, row] of job.rows.entries()) {
      if (index % ROWS_A_TURN === 0) await new Promise((resume) => setImmediate(resume));
      rows.push(...this.#ended(row, job, cut));
    }
    // Two who look at once end it once.
    job.ended ??= {
      at: this.#now(),
      end: cancelled ? 'cancelled' : expired ? 'expired' : 'completed',
      rows: shuffled(rows),
    };
  }

  #ended(row: JobRow, job: Job, cut: boolean): EndedRow[] {
    const { lost, doubled, failed, partial } = this.trouble;
    const name = `${job.id}/${row.id}`;
    if (cut && !strikes(this.trouble, partial, 'partial', name)) return [{ id: row.id, reply: 'undone' }];
    if (strikes(this.trouble, lost, 'lost', name)) return [];
    const reply: Reply = strikes(this.trouble, failed, 'failed', name)
      ? {
          status: 500,
          body: { error: { message: 'The server had an error.', type: 'server_error', param: null, code: null } },
        }
      : this.#answer(row);
    const ended: EndedRow = { id: row.id, reply };
    return strikes(this.trouble, doubled, 'doubled', name) ? [ended, ended] : [ended];
  }
}

const tokensOf = (rows: readonly JobRow[]): number =>
  rows.reduce((sum, { body }) => sum + Math.ceil(JSON.stringify(body).length / BYTES_PER_TOKEN), 0);

/** Another order than the one that was asked in, the same each time. */
const shuffled = (rows: readonly EndedRow[]): EndedRow[] =>
  rows
    .map((row) => ({ row, at: digestText(row.id) }))
    .sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
    .map(({ row }) => row);

/** The rows that were answered, those that failed, and those that were never done. */
export function countRows(job: Job): { readonly answered: number; readonly failed: number; readonly undone: number } {
  const { rows = [] } = job.ended ?? {};
  const distinct = new Map(rows.map((row) => [row.id, row]));
  let answered = 0;
  let failed = 0;
  let undone = 0;
  for (const { reply } of distinct.values()) {
    if (reply === 'undone') undone++;
    else if (reply.status === 200) answered++;
    else failed++;
  }
  return { answered, failed, undone };
}

/** The JSON objects of lines; undefined where one is none. */
export function readLines(text: string): JsonObject[] | undefined {
  const rows: JsonObject[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    try {
      const row: unknown = JSON.parse(line);
      if (!isJsonObject(row)) return undefined;
      rows.push(row);
    } catch {
      return undefined;
    }
  }
  return rows;
}
