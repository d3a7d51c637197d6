/** What is counted of a batch that has ended. */

import { expect, it } from 'vitest';
import { countRows, type EndedRow, type Job } from '../../src/simulator/batches/jobs.ts';

it('rows of a batch are answered, failed or never done, each once however often it came', () => {
  const reply = (status: number) => ({ status, body: {} }) as EndedRow['reply'];
  const rows: EndedRow[] = [
    { id: 'a', reply: reply(200) },
    { id: 'b', reply: reply(200) },
    { id: 'b', reply: reply(200) },
    { id: 'c', reply: reply(400) },
    { id: 'd', reply: 'undone' },
    { id: 'e', reply: 'undone' },
    { id: 'f', reply: 'undone' },
  ];
  const job: Job = {
    ...{ id: 'x', rows: [], fields: {}, createdAt: 0, mistake: undefined, cancelledAt: undefined },
    ended: { at: 1, end: 'expired', rows },
  };
  expect(countRows(job)).toEqual({ answered: 2, failed: 1, undone: 3 });
  expect(countRows({ ...job, ended: undefined })).toEqual({ answered: 0, failed: 0, undone: 0 });
});
