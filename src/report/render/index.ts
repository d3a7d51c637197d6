/**
 * The report as files. It loads the library that draws charts: import it when there is something to draw. A table for
 * the terminal is in `terminal/report.ts`, which does not.
 */

import { estimatesCsv } from '../files/estimates-csv.ts';
import { estimatesJson } from '../files/estimates-json.ts';
import type { ReportData } from '../model/data.ts';
import { renderPage } from './html/page.ts';
import { renderMarkdown } from './markdown/report.ts';

type ReportFile = 'estimates.csv' | 'estimates.json' | 'report.md' | 'report.html';

/** File contents by name: the same bytes for the same data, in any process. */
export function renderReport(data: ReportData): Record<ReportFile, string> {
  return {
    'estimates.csv': estimatesCsv(data),
    'estimates.json': estimatesJson(data),
    'report.md': renderMarkdown(data),
    'report.html': renderPage(data),
  };
}
