// The console in a headless browser: opened as a person opens it, and watched for what a
// person does not see.

import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";
import assert from "node:assert/strict";

import { chromium } from "playwright-core";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** What people on a phone of 2012 see, and what 400 % zoom leaves of a laptop. */
const NARROW = { width: 320, height: 640 };
const WIDE = { width: 1024, height: 800 };
const WITHIN_MS = 30_000;

/** A browser; `CHROMIUM` names its program. */
export function browser() {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  // As root, in a container, Chromium's own sandbox cannot be made; only our page is opened.
  return chromium.launch({ executablePath, args: ["--no-sandbox"] });
}

/** A tab of its own, in which nobody is signed in. */
export async function tab(browser, url) {
  const context = await browser.newContext({ viewport: WIDE, locale: "en-GB", timezoneId: "UTC" });
  const page = await context.newPage();
  page.setDefaultTimeout(WITHIN_MS);
  const faults = [];
  const foreign = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => {
    // What the host refuses is shown on the page, and told by the browser as well.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) {
      faults.push(message.text());
    }
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(url)) {
      foreign.push(request.url());
    }
  });
  const answer = await page.goto(`${url}/console`);
  return { page, faults, foreign, answer, close: () => context.close() };
}

/** Signs in with a token. */
export async function signIn(page, token) {
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** Waits until a view is there, by its heading. */
export async function at(page, heading) {
  await page.getByRole("heading", { level: 1, name: heading, exact: true }).waitFor();
}

/**
 * What a view has to be for those who do not see it, use no mouse, or have a narrow window:
 * no violation that axe knows of, the focus on its heading, and nothing beyond the edge.
 */
export async function assertAccessible(page, what) {
  await page.evaluate(AXE);
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const { violations, passes } = await page.evaluate(() => globalThis.axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }));
    const told = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`);
    assert.deepEqual(told, [], `${what}, ${colorScheme}`);
    assert.ok(passes.length > 10, `${what}: axe has looked at next to nothing`);
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
  await page.setViewportSize(NARROW);
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= NARROW.width, `${what}: ${width} pixels wide in a window of ${NARROW.width}`);
  await page.setViewportSize(WIDE);
}
