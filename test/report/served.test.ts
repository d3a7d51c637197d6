/** Which model answered, where it is not the one that was asked alone, in each rendering. */

import { expect, it } from 'vitest';
import { REPORT_JSON, type ReportData } from '../../src/report/model/data.ts';
import { renderReport } from '../../src/report/render/index.ts';
import { qualityLines } from '../../src/report/render/terminal/quality.ts';
import { painter } from '../../src/text/paint.ts';
import { fakeData } from './fake-data.ts';

function servedBy(names: readonly { name: string; replies: number; refused?: number }[]): ReportData {
  const data = fakeData();
  const [first, ...rest] = data.costs;
  return { ...data, costs: [{ ...first!, tally: { ...first!.tally, model: 'm', calls: 4, served: names } }, ...rest] };
}

it('is a line of the data quality, escaped', () => {
  const data = servedBy([
    { name: 'm', replies: 2 },
    { name: '<b>*x*</b>', replies: 2 },
  ]);
  const { node } = data.costs[0]!;
  expect(REPORT_JSON.schema().parse(data)).toEqual(data);
  const files = renderReport(data);
  const markdown = files['report.md'] as string;
  expect(markdown).toContain('### Which model answered');
  expect(markdown).not.toContain('<b>');
  expect(markdown.indexOf('### Which model answered')).toBeGreaterThan(markdown.indexOf('## Data quality'));
  expect(files['report.html']).toContain(`<li>${node}: 2 of 4 replies say &lt;b&gt;*x*&lt;/b&gt;, asked m</li>`);
  expect(qualityLines(data, 100, painter(false)).join('\n')).toContain('2 of 4 replies say <b>*x*</b>, asked m');
});

it('is one line of the page where all is as asked', () => {
  const files = renderReport(fakeData());
  expect(files['report.md']).toContain('The one that was asked, everywhere: ');
  expect(files['report.html']).toContain('<p>The one that was asked, everywhere: ');
});
