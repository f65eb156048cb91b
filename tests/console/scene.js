// A host with a tenant, a vendor that refuses all calls, and a browser before it.

import assert from "node:assert/strict";
import { after, before } from "node:test";

import { Host, RefusingVendor } from "./host.js";
import { at, browser, signIn, tab } from "./page.js";

/**
 * Opens it before the tests of a file and ends it after them; `set` is given the host, the
 * vendor, the browser and the tenant's token. Answers how to sign in.
 */
export function staged(set) {
  const scene = {};
  before(async () => {
    [scene.vendor, scene.chromium] = [await RefusingVendor.start(), await browser()];
    scene.host = await Host.start();
    scene.admin = await scene.host.tenant("acme", scene.vendor);
    set(scene);
  });
  after(async () => {
    await scene.chromium?.close();
    await scene.host?.stop();
    scene.vendor?.stop();
  });
  return (...view) => signedIn(scene, ...view);
}

/** A tab of whoever shows this token, at a view of the tenant. */
async function signedIn({ chromium, host }, token, view, heading) {
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
