// What a tenant keeps and uses.

import assert from "node:assert/strict";
import { test } from "node:test";

import { assertAccessible, at } from "./page.js";
import { closed, staged } from "./scene.js";

let host;
let admin;

const signedIn = staged((scene) => {
  ({ host, admin } = scene);
});

test("what is kept is shown against the limit, and when little room is left", async () => {
  const opened = await signedIn(admin, "#/acme/usage", "Usage of acme");
  const { page } = opened;
  const meter = page.getByRole("progressbar", { name: /of 10\.0 GiB/ });
  await meter.waitFor();
  await page.getByText("Nothing was used.").waitFor();
  await assertAccessible(page, "usage");
  const { bytes } = await host.ask("GET", "/tenants/acme/storage", undefined, admin);
  assert.ok(bytes > 0, "settings and their audit are kept");
  await host.ask("PUT", "/tenants/acme/limits/storage-bytes", { value: bytes }, admin);
  await page.reload();
  await at(page, "Usage of acme");
  await page.getByText("Little room is left").waitFor();
  await assertAccessible(page, "usage of a full tenant");
  await host.ask("PUT", "/tenants/acme/limits/storage-bytes", { value: null }, admin);
  await closed(opened);
});

test("what the bots of the last day have used is shown by bot", async () => {
  await host.write("acme", "conversation-1", "hello");
  // It is written down every ten seconds.
  const used = async () => (await host.ask("GET", "/tenants/acme/usage", undefined, admin)).items.length > 0;
  for (let end = Date.now() + 40_000; !await used(); await new Promise((resolve) => { setTimeout(resolve, 500); })) {
    assert.ok(Date.now() < end, "usage is written down");
  }
  const opened = await signedIn(admin, "#/acme/usage", "Usage of acme");
  const { page } = opened;
  await page.getByRole("heading", { level: 3, name: "bot" }).waitFor();
  await page.getByText("at most in a turn").waitFor();
  await assertAccessible(page, "usage of a bot");
  await closed(opened);
});
