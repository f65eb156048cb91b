// The console from its sign-in to a rollback, as a third party uses it.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { withManifest } from "./host.js";
import { assertAccessible, at, signIn, tab } from "./page.js";
import { closed, staged } from "./scene.js";

const component = (name) => join(process.env.BOTYARD_PLUGINS ?? "", `botyard_plugin_${name}.wasm`);

let host;
let vendor;
let chromium;
let admin;

const signedIn = staged((scene) => {
  ({ host, vendor, chromium, admin } = scene);
});

/** A step of a longer story: where it fails, the rest makes no sense. */
async function step(what, act) {
  try {
    await act();
  } catch (error) {
    error.message = `${what}: ${error.message}`;
    throw error;
  }
}

const alertOf = (page) => page.getByRole("alert");

test("a wrong token is refused in words, and the right one is kept in this tab only", async () => {
  const opened = await tab(chromium, host.url);
  const { page, answer } = opened;
  assert.ok(answer.url().endsWith("/console/"));
  await at(page, "Sign in");
  await assertAccessible(page, "sign-in");
  await page.getByRole("button", { name: "Sign in" }).click();
  await alertOf(page).getByText("There is no token yet.").waitFor();
  await signIn(page, "botyard_0123456789abcdef_wrong");
  await alertOf(page).getByText("unauthorized", { exact: true }).waitFor();
  await alertOf(page).getByText("What to do:").waitFor();
  await assertAccessible(page, "refused sign-in");

  await signIn(page, `  ${host.token} `);
  await at(page, "Tenants");
  await assertAccessible(page, "tenants");
  await page.getByRole("link", { name: "acme" }).click();
  await at(page, "Bots of acme");
  assert.equal(await page.evaluate(() => document.activeElement.tagName), "H1", "the focus follows the view");
  assert.equal(await page.title(), "Bots of acme – Botyard");
  await page.reload();
  await at(page, "Bots of acme");

  const kept = await page.evaluate(() => [Object.keys(localStorage), Object.keys(sessionStorage), document.cookie]);
  assert.deepEqual(kept, [[], ["botyard.token"], ""]);
  await page.getByRole("button", { name: "Sign out" }).click();
  await at(page, "Sign in");
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  await closed(opened);
});

test("the host lets the page run nothing but its own files", async () => {
  const opened = await tab(chromium, host.url);
  const { page } = opened;
  await at(page, "Sign in");
  const policy = (await opened.answer.headerValue("content-security-policy")) ?? "";
  assert.ok(policy.startsWith("default-src 'none'; script-src 'self';"), policy);
  // A text that is made into elements is refused by the browser itself, wherever it happens.
  const refused = await page.evaluate(() => {
    try {
      document.getElementById("main").innerHTML = "<img src=x>";
      return "taken";
    } catch (error) {
      return error.name;
    }
  });
  assert.equal(refused, "TypeError");
  await opened.close();
});

test("a file that is no bot is refused with the reason, the code and what to do", async () => {
  const opened = await signedIn(admin, "#/acme/bots/bot", "Versions of bot");
  const { page } = opened;
  await page.getByText("Nothing was uploaded yet.").waitFor();
  await page.getByRole("button", { name: "Upload", exact: true }).click();
  await alertOf(page).getByText("No file is chosen yet.").waitFor();
  await page.getByLabel("Component").setInputFiles({
    name: "wrong.wasm", mimeType: "application/wasm", buffer: Buffer.from("<b>no wasm</b>"),
  });
  await page.getByRole("button", { name: "Upload", exact: true }).click();
  await alertOf(page).getByText("component-refused", { exact: true }).waitFor();
  await alertOf(page).getByText("upload the .wasm file that your build wrote").waitFor();
  await alertOf(page).getByText("What to do:").waitFor();
  await alertOf(page).getByText("422", { exact: true }).waitFor();
  await assertAccessible(page, "refused upload");
  await closed(opened);
});

test("versions are uploaded, compared, tried, deployed, watched and rolled back", async () => {
  const opened = await signedIn(admin, "#/acme/bots/bot", "Versions of bot");
  const { page } = opened;
  const part = async (name, heading) => {
    await page.getByRole("link", { name, exact: true }).click();
    await at(page, heading);
  };
  const digests = {};

  await step("a slow upload shows how far it is, and can be stopped", async () => {
    const network = await page.context().newCDPSession(page);
    const slow = (uploadThroughput) => network.send("Network.emulateNetworkConditions",
      { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput });
    await network.send("Network.enable");
    await slow(20_000);
    // A browser may have handed over all bytes before it shows them as sent: a file that is
    // no component becomes no version, however much of it arrives.
    await page.getByLabel("Component").setInputFiles({
      name: "half.wasm", mimeType: "application/wasm", buffer: (await readFile(component("puppet"))).subarray(0, -1000),
    });
    await page.getByRole("button", { name: "Upload", exact: true }).click();
    await page.getByRole("progressbar", { name: "Upload", exact: true }).waitFor();
    await page.getByText(/^[\d.]+ (bytes|KiB) of [\d.]+ KiB$/).waitFor();
    await page.getByRole("button", { name: "Stop the upload" }).click();
    await page.locator(".note", { hasText: "The upload was stopped" }).waitFor();
    await slow(-1);
    assert.deepEqual((await host.ask("GET", "/tenants/acme/bots/bot/versions")).items, []);
  });

  await step("upload", async () => {
    for (const name of ["echo", "puppet"]) {
      await page.getByLabel("Component").setInputFiles(component(name));
      await page.getByRole("button", { name: "Upload", exact: true }).click();
      const done = page.locator(".done", { hasText: "is uploaded." });
      await done.waitFor();
      digests[name] = (await done.locator("code").textContent()).trim();
      await page.getByLabel("Component").setInputFiles([]);
    }
    assert.notEqual(digests.echo, digests.puppet);
    await page.getByText("2 versions, the newest first.").waitFor();
    await page.getByRole("heading", { name: digests.echo }).waitFor();
    await page.getByText("wasi:cli", { exact: true }).first().waitFor({ state: "attached" });
    await assertAccessible(page, "versions");
  });

  await step("try", async () => {
    await page.getByRole("link", { name: `Try ${digests.echo}` }).click();
    await at(page, "Try bot");
    const chat = page.getByRole("log", { name: "Conversation" });
    await page.getByLabel("Message").fill("<img src=x onerror=alert(1)> & more");
    await page.keyboard.press("Enter");
    await chat.locator(".bubble").getByText("<img src=x onerror=alert(1)> & more").waitFor();
    assert.equal(await chat.locator("img").count(), 0, "what people write stays text");
    await page.getByText(/ms CPU together\.$/).waitFor();
    await chat.getByText(/^On message: 1 action/).click();
    await chat.getByRole("heading", { name: "What would be sent" }).last().waitFor();
    await page.getByLabel("Message").fill("again");
    await page.keyboard.press("Enter");
    await chat.locator(".bubble").getByText("again").waitFor();
    await assertAccessible(page, "try");
    await page.getByRole("button", { name: "Begin anew" }).click();
    assert.equal(await chat.textContent(), "");
  });

  await step("options are chosen, failures and other events are shown", async () => {
    const chat = page.getByRole("log", { name: "Conversation" });
    const say = async (text) => {
      await page.getByLabel("Message").fill(text);
      await page.keyboard.press("Enter");
    };
    await page.getByLabel("Version", { exact: true }).selectOption({ index: 0 });
    await page.getByRole("button", { name: "Open the conversation" }).click();
    await chat.locator(".bubble").getByText("welcome").waitFor();
    await say("menu Colour? red green");
    await chat.getByRole("button", { name: "green" }).click();
    await chat.locator(".bubble").getByText("clicked green").waitFor();
    await say("pause no-number");
    await chat.getByText(/the bot failed: rejected/).waitFor();
    await page.getByText("Send any other event").click();
    await page.getByLabel("Event as JSON").fill("{");
    await page.getByRole("button", { name: "Send the event" }).click();
    await alertOf(page).getByText("The event is no JSON.").waitFor();
    await page.getByLabel("Event as JSON").fill('{"name":"signal","payload":{"name":"paid","json":"{}"}}');
    await page.getByRole("button", { name: "Send the event" }).click();
    await chat.locator(".bubble").getByText("signal paid {}").waitFor();
    await page.getByLabel("Event as JSON").fill('{"name":"nothing"}');
    await page.getByRole("button", { name: "Send the event" }).click();
    await alertOf(page).getByText("bad-request", { exact: true }).waitFor();
    await assertAccessible(page, "long trial");
  });

  await step("deploy", async () => {
    await part("Versions", "Versions of bot");
    await page.getByRole("link", { name: `Deploy ${digests.echo}` }).click();
    await at(page, "Deployment of bot");
    await page.getByText("No version was deployed yet").waitFor();
    await page.getByRole("button", { name: "Deploy", exact: true }).click();
    await page.locator(".done", { hasText: `Version ${digests.echo} answers now.` }).waitFor();
    const focused = await page.evaluate(() => document.activeElement.textContent);
    assert.ok(focused.startsWith(`Version ${digests.echo} answers now.`), "the focus is not lost with the button");
    await assertAccessible(page, "deployment");
  });

  await step("the differences to the version that answers are shown", async () => {
    await part("Versions", "Versions of bot");
    const card = page.getByRole("listitem").filter({ has: page.getByRole("heading", { name: digests.puppet }) });
    await card.getByText("What changes against the version that answers").click();
    await card.getByText("import added: http").waitFor();
  });

  await step("a canary with its percentage", async () => {
    await part("Deployment", "Deployment of bot");
    await page.getByLabel("Percent of new conversations").fill("200");
    await page.getByRole("button", { name: "Start as a canary" }).click();
    await alertOf(page).getByText("deployment-refused", { exact: true }).waitFor();
    await page.getByLabel("Percent of new conversations").fill("25");
    await page.getByRole("button", { name: "Start as a canary" }).click();
    await page.getByText(`${digests.puppet} with 25 of a hundred new conversations`).waitFor();
    await page.getByLabel("Percent of new conversations").fill("50");
    await page.getByRole("button", { name: "Set the percentage" }).click();
    await page.getByText(`${digests.puppet} with 50 of a hundred new conversations`).waitFor();
    await assertAccessible(page, "canary");
    await page.getByRole("button", { name: "Promote the canary" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.waitFor();
    await assertAccessible(page, "question");
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Promote the canary" }).click();
    await dialog.getByRole("button", { name: "Promote" }).click();
    await page.locator(".done", { hasText: `Version ${digests.puppet} answers now.` }).waitFor();
  });

  await step("what somebody else did meanwhile is shown before anything is changed", async () => {
    const path = "/tenants/acme/bots/bot/deployment";
    const { previous } = await host.ask("GET", path);
    await host.ask("POST", path, { action: "deploy", version: previous });
    await page.getByRole("button", { name: `Roll back to ${digests.echo}` }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Roll back" }).click();
    await alertOf(page).getByText("stale", { exact: true }).waitFor();
    await page.getByRole("button", { name: `Roll back to ${digests.puppet}` }).waitFor();
    assert.equal((await host.ask("GET", path)).current, previous, "nothing was changed");
  });

  await step("logs, as they are and live", async () => {
    await host.write("acme", "cid-one", "hello from a person");
    await part("Logs", "Logs of bot");
    await page.getByText("hello from a person").first().waitFor();
    await assertAccessible(page, "logs");
    await page.getByRole("button", { name: "Follow live" }).click();
    await page.getByText("Following: what happens").waitFor();
    await host.write("acme", "cid-two", "heard live");
    const live = page.getByRole("region", { name: "Live" });
    await live.getByText("heard live").first().waitFor();
    await page.getByRole("button", { name: "Stop following" }).click();
    await live.getByText("Not following.").waitFor();
  });

  await step("roll back", async () => {
    await part("Deployment", "Deployment of bot");
    await page.getByRole("button", { name: `Roll back to ${digests.puppet}` }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Roll back" }).click();
    await page.locator(".done", { hasText: `Rolled back: version ${digests.puppet} answers now.` }).waitFor();
    const { current } = await host.ask("GET", "/tenants/acme/bots/bot/deployment");
    assert.ok(current.startsWith(digests.puppet));
  });
  await closed(opened);
});

test("channels, conversations with their turns, and dead letters that are sent again", async () => {
  const opened = await signedIn(admin, "#/acme/channels", "Channels of acme");
  const { page } = opened;
  assert.equal(await page.getByLabel("Webhook URL of acme-web").inputValue(), `${host.url}/webhooks/acme-web`);
  await page.getByRole("button", { name: "Copy the URL of acme-web" }).click();
  await page.locator("#status").getByText(/copy|Copied/).waitFor({ state: "attached" });
  await assertAccessible(page, "channels");

  await page.getByRole("link", { name: "Conversations" }).click();
  await at(page, "Conversations of acme");
  await assertAccessible(page, "conversations");
  await page.getByLabel("Channel").selectOption("acme-web");
  await page.getByRole("button", { name: "Search" }).click();
  await page.getByRole("link", { name: "cid-one" }).click();
  await at(page, "Conversation cid-one");
  await page.getByText("hello from a person").first().waitFor();
  await assertAccessible(page, "conversation");

  await page.getByRole("link", { name: "Dead letters" }).click();
  await at(page, "Dead letters of acme");
  const again = page.getByRole("button", { name: "Send again" });
  for (let tries = 0; await again.count() === 0 && tries < 40; tries += 1) {
    await page.reload();
    await at(page, "Dead letters of acme");
  }
  await assertAccessible(page, "dead letters");
  await again.first().click();
  await page.getByRole("dialog").getByRole("button", { name: "Send it again" }).click();
  await page.getByText("It waits in its conversation again.").first().waitFor();
  await closed(opened);
});

test("what a version wishes for beyond its bot is shown, and granted by an administrator", async () => {
  const wishes = { name: "<b>wishful</b>", version: "2.0.0", hosts: ["shop.example", "api.bank.example"] };
  const wasm = withManifest(await readFile(component("echo")), wishes);
  await host.ask("PUT", "/tenants/acme/bots/wishful", { settings: { hosts: ["*.bank.example"], config: { key: "kept" } } });
  await host.ask("POST", "/tenants/acme/bots/wishful/versions", new Uint8Array(wasm));
  const deployer = await signedIn(await host.access("acme", { scope: "deploy" }), "#/acme/bots/wishful", "Versions of wishful");
  await deployer.page.getByText("An administrator of the tenant can grant it.").waitFor();
  await closed(deployer);

  const opened = await signedIn(admin, "#/acme/bots/wishful", "Versions of wishful");
  const { page } = opened;
  await page.getByRole("heading", { name: "(<b>wishful</b> 2.0.0)" }).waitFor();
  await page.getByText("calls to shop.example: an admin of the tenant may grant it").waitFor();
  await assertAccessible(page, "pending wishes");
  // Deployed all the same, it waits, and says so where deployments are made.
  await page.getByRole("link", { name: "Deployment", exact: true }).click();
  await at(page, "Deployment of wishful");
  await page.getByRole("button", { name: "Deploy", exact: true }).click();
  await page.getByText("grant-pending").waitFor();
  await page.getByRole("heading", { name: "A deployment waits for a grant" }).waitFor();
  await assertAccessible(page, "a deployment that waits");
  await page.getByRole("button", { name: "Approve shop.example" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Approve" }).click();
  await page.getByText("The deployment that waited went ahead.").first().waitFor();
  const { settings, version } = await host.ask("GET", "/tenants/acme/bots/wishful");
  assert.deepEqual(settings, { hosts: ["*.bank.example", "shop.example"], config: { key: "kept" } });
  assert.ok(version, "it answers now");
  await page.getByRole("link", { name: "Versions", exact: true }).click();
  await at(page, "Versions of wishful");
  assert.equal(await page.getByText("Not granted:").count(), 0);
  await closed(opened);
});

test("whoever may only look is told what to ask for, and sees lengths for texts", async () => {
  const reader = await host.access("acme", { scope: "read" });
  const opened = await signedIn(reader, "#/acme/bots/bot", "Versions of bot");
  const { page } = opened;
  await page.getByText('For this, ask for one with "deploy".').first().waitFor();
  assert.equal(await page.getByRole("button", { name: "Upload", exact: true }).count(), 0);
  await page.getByRole("link", { name: "Logs" }).click();
  await at(page, "Logs of bot");
  await page.getByText("Your token hides what people said").waitFor();
  assert.equal(await page.getByText("hello from a person").count(), 0);
  await closed(opened);
});

test("whoever has one bot is led to it and to nothing else", async () => {
  const narrowed = await host.access("acme", { scope: "deploy", bot: "bot", texts: "full" });
  const opened = await tab(chromium, host.url);
  const { page } = opened;
  await signIn(page, narrowed);
  await at(page, "Versions of bot");
  assert.equal(await page.getByRole("link", { name: "Channels" }).count(), 0);
  await page.getByRole("link", { name: "Try", exact: true }).click();
  await at(page, "Try bot");
  await closed(opened);
});

test("another tenant's things are not there, and a token that ends leads back to the sign-in", async () => {
  const stranger = await host.tenant("other", vendor);
  const opened = await signedIn(stranger, "#/acme/bots/bot", "That did not work");
  const { page } = opened;
  await alertOf(page).getByText("not-found", { exact: true }).waitFor();
  await page.evaluate(() => { location.hash = "#/other/nowhere"; });
  await alertOf(page).getByText("no-such-view", { exact: true }).waitFor();
  const { items } = await host.ask("GET", "/tenants/other/tokens");
  await host.ask("DELETE", `/tenants/other/tokens/${items[0].id}`);
  await page.getByRole("link", { name: "Bots" }).click();
  await at(page, "Sign in");
  await alertOf(page).getByText("unauthorized", { exact: true }).waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  await closed(opened);
});

test("the keyboard is enough, from the sign-in to a new bot", async () => {
  const opened = await tab(chromium, host.url);
  const { page } = opened;
  await at(page, "Sign in");
  const press = (...keys) => keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());
  await press("Tab");
  await page.keyboard.type(admin);
  await press("Enter");
  await at(page, "Bots of acme");
  const focused = () => page.evaluate(() => document.activeElement.name || document.activeElement.textContent);
  for (let steps = 0; await focused() !== "name" && steps < 20; steps += 1) {
    await press("Tab");
  }
  await page.keyboard.type("by-keyboard");
  await press("Enter");
  await at(page, "Versions of by-keyboard");
  await closed(opened);
});

test("the page is small, and asks for it again only when it is another", async () => {
  const context = await chromium.newContext();
  const page = await context.newPage();
  const answers = [];
  page.on("response", (response) => answers.push(response));
  const first = await page.goto(`${host.url}/console/`);
  await at(page, "Sign in");
  const sizes = await Promise.all(answers.map(async (one) => (await one.body()).length));
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  assert.ok(bytes > 20_000 && bytes < 100_000, `${bytes} bytes until the first view`);
  const etag = await first.headerValue("etag");
  const again = await fetch(`${host.url}/console/`, { headers: { "if-none-match": etag } });
  assert.equal(again.status, 304);
  const text = await readFile(new URL("../../host/server/src/console/page/main.js", import.meta.url), "utf8");
  const script = await page.evaluate(() => document.querySelector("script").src);
  const served = await fetch(script);
  assert.equal(served.headers.get("cache-control"), "public, max-age=31536000, immutable");
  assert.equal(await served.text(), text, "what is served is what lies in the tree");
  await context.close();
});
