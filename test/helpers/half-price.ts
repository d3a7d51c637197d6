/** A build in batches beside an online one of the same calls: the same bytes, for half of the money. */

import { expect } from 'vitest';
import { batchLab, dollarsOf, type Shape, type Usage } from './batch-lab.ts';

const minus = (a: Usage, b: Usage): Usage => ({
  answered: a.answered - b.answered,
  input: a.input - b.input,
  output: a.output - b.output,
});

export async function expectHalfOfThePrice(shape: Shape): Promise<void> {
  const lab = await batchLab(shape);
  const online = await batchLab(shape, { server: lab.server });
  try {
    const whole = online.project.build('--yes').finished;
    expect(whole).toMatchObject({ exit: 0, calls: { bought: 24 } });
    const paid = await lab.bill();

    const first = lab.project.build('--yes', '--lane', 'batch').finished;
    expect(first).toMatchObject({ exit: 6, nodes: { skipped: 2 }, calls: { bought: 0 }, cost: { billed: 0 } });
    const last = lab.project.build('--yes', '--lane', 'batch', '--until', '1m').finished;
    expect(last).toMatchObject({ exit: 0, calls: { bought: 24 } });
    expect(last.cost.billed).toBeCloseTo(whole.cost.billed / 2, 12);
    expect(lab.project.outputs()).toEqual(online.project.outputs());

    const bill = await lab.bill();
    const own = { online: minus(bill.online, paid.online), batch: bill.batch };
    expect(own).toMatchObject({ online: { answered: 0 }, batch: { answered: 24 } });
    expect(last.cost.billed).toBeCloseTo(dollarsOf(own), 12);
    expect(bill.wrong).toEqual([]);
  } finally {
    online.close();
    lab.close();
  }
}
