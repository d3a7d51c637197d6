/** An experiment of one's own whose model answers with what would run in a browser: nothing of it does. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderPage } from '../../../src/report/render/html/page.ts';
import { ownProject } from '../../helpers/own-project.ts';
import { type Project, removeProject } from '../../helpers/project.ts';
import { startView, type View } from '../../helpers/view.ts';
import { fakeData } from '../../report/fake-data.ts';
import { poisoned } from '../../report/poisoned.ts';
import { policiesAndJudge } from '../../servers/chat-only.ts';
import { axeFindings, expectToFit, launchBrowser, openPage, type WatchedPage } from './browser.ts';

const HOSTILE = [
  '<script>window.hit = 1</script>',
  '<img src=x onerror="window.hit = 2"><svg onload="window.hit = 3">',
  '<a href="javascript:window.hit = 4">the answer</a> [link](javascript:window.hit=5)',
  '</pre></article><style>body { display: none }</style><form action="https://elsewhere.test">',
  '" onmouseover="window.hit = 6" autofocus onfocus="window.hit = 7',
  '\u202Etxt.exe \u001b[31mred\u001b[0m \u2066hidden\u2069',
].join('\n');

let parent: Project;
let project: Project;
let view: View;
let browser: Browser;

beforeAll(async () => {
  [{ parent, project }, browser] = await Promise.all([
    ownProject({
      prompts: 12,
      answer: (request) => {
        const said = policiesAndJudge(request);
        return said.startsWith('{')
          ? said.replace('"analysis":"', `"analysis":${JSON.stringify(HOSTILE).slice(0, -1)} `)
          : `${said}\n${HOSTILE}`;
      },
    }),
    launchBrowser(),
  ]);
  view = await startView(project);
});
afterAll(async () => {
  await browser?.close();
  view?.close();
  removeProject(parent);
});

const open = async (path: string): Promise<WatchedPage> => {
  const opened = await openPage(browser, [view.root]);
  await opened.page.goto(new URL(path, view.root).href);
  return opened;
};

/** Nothing that the texts brought along has run, can be clicked or was sent. */
async function expectInert({ page, wrongs }: WatchedPage): Promise<void> {
  const found = await page.evaluate(() => ({
    hit: Reflect.get(window, 'hit') ?? null,
    handlers: [...document.querySelectorAll('*')].filter((element) =>
      [...element.attributes].some(({ name }) => name.startsWith('on')),
    ).length,
    scripts: document.querySelectorAll('script:not([src="/assets/view.js"]), iframe, object, embed').length,
    links: [...document.querySelectorAll('a')].filter(({ protocol }) => !/^(http|file):$/.test(protocol)).length,
    shown: getComputedStyle(document.body).display !== 'none',
  }));
  expect(found).toEqual({ hit: null, handlers: 0, scripts: 0, links: 0, shown: true });
  expect(wrongs).toEqual([]);
}

describe('hostile answers', () => {
  it('are shown on the page of an item and of its calls, and never obeyed', async () => {
    const opened = await open('/build/last/items');
    const { page } = opened;
    await page.locator('tbody a').first().click();
    const answers = page.locator('.responses pre.text');
    await expect.poll(() => answers.count()).toBeGreaterThan(1);
    expect(await answers.first().textContent()).toContain('<script>window.hit = 1</script>');
    expect(await answers.first().locator('.mark').allTextContents()).toContain('U+202E');
    const calls = page.locator('details[data-calls]');
    await calls.first().locator('summary').click();
    await page.evaluate(() => {
      for (const details of document.querySelectorAll('details')) details.open = true;
    });
    await expect.poll(() => page.locator('details[data-calls] > .calls').count()).toBe(await calls.count());
    await answers.first().hover();
    await expectInert(opened);
    await expectToFit(page, 'an item with its calls');
    expect(await axeFindings(page)).toEqual([]);
    await page.close();
  });

  it('and hostile names are inert in the report, as in its own experiment', async () => {
    const file = join(project.folder, 'poisoned.html');
    const data = fakeData();
    const few = { ...data, estimates: data.estimates.slice(0, 8), costs: data.costs.slice(0, 2) };
    writeFileSync(file, renderPage(poisoned(few, HOSTILE)));
    for (const path of [file, join(project.folder, 'out/report/report.html')]) {
      const { href } = pathToFileURL(path);
      const opened = await openPage(browser, [href]);
      await opened.page.goto(href);
      await expectInert(opened);
      await opened.page.close();
    }
  });
});

const focused = (page: Page) => page.evaluate(() => document.activeElement?.textContent?.trim() ?? '');

describe('without a mouse', () => {
  it('one searches, opens an item, goes to the next one and reads its calls', async () => {
    const opened = await open('/build/last/items');
    const { page } = opened;
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('Skip to the content');
    await page.keyboard.press('Enter');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('content');
    await page.keyboard.press('/');
    await page.keyboard.type('squared? 1');
    await page.keyboard.press('Enter');
    await page.waitForURL(/q=/);
    // Ten and eleven, beside one.
    expect(await page.locator('tbody tr').count()).toBe(3);
    for (let stops = 0; !/^[0-9a-f]{4,}|^q\d/.test(await focused(page)); stops++) {
      expect(stops).toBeLessThan(30);
      await page.keyboard.press('Tab');
      const ring = await page.evaluate(() => {
        const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement!);
        return outlineStyle !== 'none' && outlineWidth !== '0px';
      });
      expect([await focused(page), ring]).toEqual([await focused(page), true]);
    }
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/item\?/);
    const first = page.url();
    await page.keyboard.press('j');
    await page.waitForURL((url) => url.href !== first);
    await page.keyboard.press('ArrowLeft');
    await page.waitForURL(first);
    await page.locator('.responses summary').first().focus();
    await page.keyboard.press('Enter');
    expect(await page.locator('.responses details[open]').count()).toBe(1);
    await expectInert(opened);
    await page.close();
  });
});
