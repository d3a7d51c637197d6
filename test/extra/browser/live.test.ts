/** The viewer beside a build: one that runs with settings of its own, and one whose pipeline has a mistake. */

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { initProject, runBeside } from '../../helpers/own-project.ts';
import { emptyProject, type Project, removeProject } from '../../helpers/project.ts';
import { startView } from '../../helpers/view.ts';
import { type ChatServer, policiesAndJudge, startChatServer } from '../../servers/chat-only.ts';
import { axeFindings, expectToFit, launchBrowser, openPage, VARIANTS } from './browser.ts';

const PROMPTS = 12;

let parent: Project;
let project: Project;
let server: ChatServer;
let browser: Browser;
/** Lets the server go on after the first calls. */
let release: () => void;

beforeAll(async () => {
  let asked = 0;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  server = await startChatServer({
    answer: policiesAndJudge,
    schemas: false,
    before: async () => {
      if (asked++ >= PROMPTS / 2) await held;
    },
  });
  parent = emptyProject();
  [project, browser] = await Promise.all([initProject(parent, server, PROMPTS), launchBrowser()]);
  project.edit(
    'configs/providers.yaml',
    'local-model: { input: 0, output: 0 }',
    'local-model: { input: 10, output: 10 }',
  );
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
  removeProject(parent);
});

it('follows a build whatever its --set, with share, dollars and what is left, until it is done', async () => {
  const alone = ['--set', 'policies=[brief]', '--set', 'ablations=[naive]'];
  const built = runBeside(project, 'build', '--yes', ...alone);
  const view = await startView(project);
  try {
    const opened = await openPage(browser, [view.root]);
    const { page, wrongs, show } = opened;
    // Until the build has its lock there is nothing to follow.
    const landing = async () => {
      await page.goto(view.root);
      return page.url();
    };
    await expect.poll(landing, { timeout: 30_000 }).toMatch(/\/build\/now\/graph$/);
    const bar = page.locator('tbody progress');
    await expect.poll(async () => Number(await bar.getAttribute('value')), { timeout: 20_000 }).toBeGreaterThan(0);
    expect(Number(await bar.getAttribute('value'))).toBeLessThanOrEqual(PROMPTS / 2);
    // The viewer was told of no setting: that one policy alone is built, the lock says.
    expect(await page.getByText('thorough').count()).toBe(0);
    const progress = page.locator('.running .progress');
    await expect
      .poll(() => progress.textContent())
      .toMatch(/\d+ %.*nodes1 of 7bought[1-6]spent\$0\.0\d+ of about \$0\.\d+/);
    expect(await page.locator('tr', { hasText: 'responses/brief' }).textContent()).toContain('being built');
    for (const variant of VARIANTS) {
      await show(variant);
      await expectToFit(page, `the graph of a build that runs, ${variant.width} px`);
    }
    expect(await axeFindings(page)).toEqual([]);
    release();
    await built;
    // Nobody reloads: the page sees the end by itself.
    await expect.poll(() => page.locator('.running').count(), { timeout: 20_000 }).toBe(0);
    expect(wrongs).toEqual([]);
    await page.close();
  } finally {
    release();
    view.close();
  }
});

it('shows what was built while pipeline.yaml has a mistake, and the mistake', async () => {
  project.edit('pipeline.yaml', 'kind: report', 'kind: rapport');
  const view = await startView(project);
  try {
    const { page, wrongs } = await openPage(browser, [view.root]);
    await page.goto(view.root);
    expect(await page.locator('.mistaken').textContent()).toMatch(
      /rapport.*pipeline\.yaml:\d+.*Shown is what was built/,
    );
    expect(await page.locator('#ranking h2').textContent()).toBe('Ranking');
    await page.getByRole('link', { name: 'Items', exact: true }).click();
    expect(await page.locator('tbody tr').count()).toBe(PROMPTS);
    await page.getByRole('link', { name: 'All that is wrong' }).click();
    expect(await page.locator('.problem').first().textContent()).toContain('rapport');
    project.edit('pipeline.yaml', 'kind: rapport', 'kind: report');
    await page.reload();
    expect(await page.locator('h1').textContent()).toBe('Graph');
    expect(await page.locator('.mistaken').count()).toBe(0);
    // The page of the mistake was one of the server's errors, as it should be.
    expect(wrongs.filter((wrong) => !wrong.includes('500'))).toEqual([]);
    await page.close();
  } finally {
    view.close();
  }
});
