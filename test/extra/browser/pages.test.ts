/** The report and every page of the viewer in a real browser, narrow and wide, light and dark. */

import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Project, removeProject, shippedProject } from '../../helpers/project.ts';
import { startView, type View } from '../../helpers/view.ts';
import { axeFindings, expectToFit, launchBrowser, openPage, VARIANTS, type WatchedPage } from './browser.ts';

/** Enough for every section of the report. */
const FEW = '  ablations: [naive, direct, snips, dr-cpo]';

let project: Project;
let view: View;
let browser: Browser;

beforeAll(async () => {
  project = shippedProject({ samples: 30 });
  const pipeline = project.read('pipeline.yaml');
  project.write('pipeline.yaml', pipeline.replace(/^ {2}ablations:\n {4}\[[^\]]*\]/m, FEW));
  expect(project.build('ablations').exit).toBe(0);
  project.edit('configs/judges/deterministic.md', 'Use the whole scale', 'Use all of the scale');
  expect(project.build('ablations').exit).toBe(0);
  [view, browser] = await Promise.all([startView(project), launchBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  view?.close();
  removeProject(project);
});

/** @param looks the variants, of the first ones, in which axe-core looks at the page */
async function expectWell(opened: WatchedPage, what: string, looks = 2): Promise<void> {
  const { page, wrongs, show } = opened;
  for (const [index, variant] of VARIANTS.entries()) {
    await show(variant);
    const where = `${what}, ${variant.width} px, ${variant.scheme}`;
    await expectToFit(page, where);
    // Colours and sizes both differ between the first two; the others would find the same again.
    if (index < looks) expect([where, await axeFindings(page, index === 0 ? 'all' : 'look')]).toEqual([where, []]);
  }
  expect([what, wrongs]).toEqual([what, []]);
}

describe('in a browser', () => {
  it.each([
    '/build/last',
    '/build/last/items',
    '/build/last/item?id=sim_3',
    '/build/last/pair?a=pi_cot&b=pi_bad',
    '/build/last/graph',
    '/build/last/node/scores/uncertainty/pi_bad',
    '/build/last/calls/scores/uncertainty/pi_bad?item=sim_3',
    '/build/last/file/ablations?name=report.md',
    '/builds',
    '/compare?before=last~1&after=last',
  ])('%s fits, can be read and is quiet', async (path) => {
    const opened = await openPage(browser, [view.root]);
    await opened.page.goto(new URL(path, view.root).href);
    // The overview is the report, which is looked at below with all that it folds away.
    await expectWell(opened, path, path === '/build/last' ? 1 : 2);
    await opened.page.close();
  });

  it('the items fit with policies of long names too', async () => {
    const opened = await openPage(browser, [view.root]);
    await opened.page.goto(new URL('/build/last/items', view.root).href);
    await opened.page.evaluate(() => {
      for (const option of document.querySelectorAll('option'))
        option.text += ` ${'a policy of a long name '.repeat(4)}`;
    });
    await opened.show({ width: 360, scheme: 'dark' });
    await expectToFit(opened.page, 'items');
    await opened.page.close();
  });

  it('the report fits, can be read and is quiet', async () => {
    const file = pathToFileURL(`${project.folder}/out/ablations/report.html`).href;
    const opened = await openPage(browser, [file]);
    await opened.page.goto(file);
    await opened.page.evaluate(() => {
      for (const details of document.querySelectorAll('details')) details.open = true;
    });
    await expectWell(opened, 'report.html');
    await opened.page.close();
  });
});
