/** A real browser for tests: Debian's Chromium, or whichever one `CJE_CHROMIUM` names. */

import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';

/** Where systems put it. */
const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/** Nothing but what a test asks for goes over the network. */
const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** @throws where there is no browser: these tests are of what one shows, and skipped they would say nothing. */
export async function launchBrowser(): Promise<Browser> {
  const named = process.env.CJE_CHROMIUM;
  const executablePath = named ?? PLACES.find((path) => existsSync(path));
  if (executablePath === undefined || !existsSync(executablePath)) {
    throw new Error(
      `${named === undefined ? 'there is no Chromium' : `CJE_CHROMIUM names ${named}, which is not there`}: \`apt-get install chromium\` on Debian, or set CJE_CHROMIUM to the path of a Chromium or Chrome`,
    );
  }
  return chromium.launch({ executablePath, args: QUIET });
}

export interface Variant {
  readonly width: 360 | 1400;
  readonly scheme: 'light' | 'dark';
}

export const VARIANTS: readonly Variant[] = [
  { width: 1400, scheme: 'light' },
  { width: 360, scheme: 'dark' },
  { width: 1400, scheme: 'dark' },
  { width: 360, scheme: 'light' },
];

/** A page that remembers what went wrong in it. */
export interface WatchedPage {
  readonly page: Page;
  /** Complaints of the console, errors of scripts, requests that failed or went to another host, dialogs. */
  readonly wrongs: readonly string[];
  show(variant: Variant): Promise<void>;
}

/** @param origins the hosts that may be asked, such as `http://127.0.0.1:8080`. */
export async function openPage(browser: Browser | BrowserContext, origins: readonly string[]): Promise<WatchedPage> {
  const page = await browser.newPage();
  const wrongs: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) wrongs.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => wrongs.push(`script: ${error.message}`));
  page.on('dialog', (dialog) => {
    wrongs.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (!origins.some((origin) => request.url().startsWith(origin))) wrongs.push(`asked ${request.url()}`);
  });
  return {
    page,
    wrongs,
    async show({ width, scheme }) {
      await page.setViewportSize({ width, height: width === 360 ? 780 : 1000 });
      await page.emulateMedia({ colorScheme: scheme });
    },
  };
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe-core calls it when these depend on how a page is shown. */
const LOOK = ['color-contrast', 'target-size', 'scrollable-region-focusable'];

/**
 * What axe-core finds serious or critical, an element a line.
 *
 * @param rules all of them, or those alone that depend on the size of the window and on light and dark
 */
export async function axeFindings(page: Page, rules: 'all' | 'look' = 'all'): Promise<string[]> {
  // Evaluated from outside, so the page's own policy stays in force.
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(AXE);
  const options = {
    resultTypes: ['violations'],
    ...(rules === 'all' ? { rules: { 'target-size': { enabled: true } } } : { runOnly: LOOK }),
  };
  return page.evaluate(async (asked) => {
    interface Found {
      readonly id: string;
      readonly impact: string | null;
      readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
    }
    const axe: { run(options: object): Promise<{ violations: readonly Found[] }> } = Reflect.get(globalThis, 'axe');
    const { violations } = await axe.run(asked);
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary ?? ''}`));
  }, options);
}

/** Nothing sticks out of the window sideways. */
export async function expectToFit(page: Page, what: string): Promise<void> {
  const [content, room] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
  expect([what, content]).toEqual([what, room]);
}
