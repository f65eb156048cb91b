// A host with a tenant, a vendor that refuses all calls, and a browser before it.

import assert from "node:assert/strict";

import { Host, RefusingVendor } from "./host.js";
import { at, browser, signIn, tab } from "./page.js";

/** Opens it; `admin` is the tenant's token. */
export async function open() {
  const [vendor, chromium] = [await RefusingVendor.start(), await browser()];
  const host = await Host.start();
  return { vendor, chromium, host, admin: await host.tenant("acme", vendor) };
}

/** Ends what there is of it. */
export async function shut({ vendor, chromium, host }) {
  await chromium?.close();
  await host?.stop();
  vendor?.stop();
}

/** A tab of whoever shows this token, at a view of the tenant. */
export async function opened({ chromium, host }, token, view, heading) {
  const opened = await tab(chromium, host.url);
  await signIn(opened.page, token);
  // The first view is there: a hash that changes before would be overtaken.
  await opened.page.getByRole("button", { name: "Sign out" }).waitFor();
  await opened.page.evaluate((hash) => { location.hash = hash; }, view);
  await at(opened.page, heading);
  return opened;
}

/** Nothing failed behind the page's back, and nobody else was asked for anything. */
export async function closed({ faults, foreign, close }) {
  await close();
  assert.deepEqual(faults, []);
  assert.deepEqual(foreign, []);
}
