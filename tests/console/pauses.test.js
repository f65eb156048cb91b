// What is stopped for a while, and by whom it goes on.

import assert from "node:assert/strict";
import { test } from "node:test";

import { assertAccessible, at } from "./page.js";
import { closed, staged } from "./scene.js";

let host;
let admin;

const signedIn = staged((scene) => {
  ({ host, admin } = scene);
});

test("a bot and a channel are paused, shown so, and resumed", async () => {
  const opened = await signedIn(admin, "#/acme/bots/bot", "Versions of bot");
  const { page } = opened;
  for (const [kind, name, path, heading] of [
    ["bot", "bot", "#/acme/bots", "Bots of acme"],
    ["channel", "acme-web", "#/acme/channels", "Channels of acme"],
  ]) {
    if (kind === "channel") {
      await page.evaluate((hash) => { location.hash = hash; }, path);
      await at(page, heading);
    }
    const mark = page.getByText("paused", { exact: true });
    assert.equal(await mark.count(), 0, "nothing is paused yet");
    await page.getByRole("button", { name: `Pause ${name}` }).click();
    const dialog = page.getByRole("dialog", { name: `Pause the ${kind} ${name}?` });
    await dialog.getByRole("button", { name: "Cancel" }).click();
    await dialog.waitFor({ state: "detached" });
    const about = `/tenants/acme/${kind}s/${name}`;
    assert.equal((await host.ask("GET", about)).paused, undefined, "whoever cancels pauses nothing");
    await page.getByRole("button", { name: `Pause ${name}` }).click();
    await dialog.getByRole("button", { name: "Pause" }).click();
    await mark.waitFor();
    const focused = await page.evaluate(() => document.activeElement.textContent);
    assert.equal(focused, `Resume ${name}`, "the focus is not lost with the button");
    // A reason that somebody gives elsewhere is text here.
    await host.ask("POST", `${about}/pause`, { reason: "<img src=x> prices" }, admin);
    await page.evaluate((hash) => { location.hash = hash; }, "#/acme/conversations");
    await at(page, "Conversations of acme");
    await page.evaluate((hash) => { location.hash = hash; }, path);
    await at(page, heading);
    await mark.waitFor();
    if (kind === "bot") {
      await page.getByRole("link", { name: "bot", exact: true }).click();
      await at(page, "Versions of bot");
    }
    await page.getByText("<img src=x> prices").waitFor();
    await assertAccessible(page, `paused ${kind}`);
    await page.getByRole("button", { name: `Resume ${name}` }).click();
    await page.getByRole("button", { name: `Pause ${name}` }).waitFor();
    assert.equal(await mark.count(), 0);
    assert.equal((await host.ask("GET", about)).paused, undefined);
  }
  // What the operator has paused is the operator's to resume, and the page says so.
  await host.ask("POST", "/tenants/acme/channels/acme-web/pause");
  await page.reload();
  await at(page, "Channels of acme");
  await page.getByText("Only the operator ends it.").waitFor();
  assert.equal(await page.getByRole("button", { name: "Resume acme-web" }).count(), 0);
  await host.ask("POST", "/tenants/acme/channels/acme-web/resume");
  // What was paused, or taken away, since the page was loaded is no fault of the page.
  await page.reload();
  await at(page, "Channels of acme");
  await host.ask("POST", "/tenants/acme/channels/acme-web/pause");
  await page.getByRole("button", { name: "Pause acme-web" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Pause" }).click();
  await page.getByText("Only the operator ends it.").waitFor();
  assert.equal(await page.getByRole("alert").count(), 0);
  await host.ask("POST", "/tenants/acme/channels/acme-web/resume");
  const { settings } = await host.ask("GET", "/tenants/acme/channels/acme-web");
  await host.ask("PUT", "/tenants/acme/channels/passing", { settings }, admin);
  await host.ask("POST", "/tenants/acme/channels/passing/pause", {}, admin);
  await page.reload();
  await at(page, "Channels of acme");
  await host.ask("DELETE", "/tenants/acme/channels/passing", undefined, admin);
  await page.getByRole("button", { name: "Resume passing" }).click();
  await page.getByText("passing was deleted in its pause").waitFor();
  assert.equal(await page.getByRole("alert").count(), 0);
  const reader = await host.access("acme", { scope: "read" });
  const looks = await signedIn(reader, "#/acme/channels", "Channels of acme");
  assert.equal(await looks.page.getByRole("button", { name: /^Pause/ }).count(), 0);
  await closed(looks);
  await closed(opened);
});
