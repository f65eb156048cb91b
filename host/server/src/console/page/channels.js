// The channels of a tenant, with what is to be pasted at the vendor.

import { at } from "./api.js";
import { button, facts, field, folded, json, make, say } from "./dom.js";
import { paged } from "./list.js";
import { pausing } from "./pause.js";

export async function channels(page) {
  const { api, tenant, signal } = page;
  const list = paged({
    fetch: (after) => api.get(at`tenants/${tenant}/channels`, { after }, signal),
    show: (one) => channel(page, one),
    noun: "channel",
    empty: "There is no channel yet. Make one with the command line: botyard apply.",
  });
  await list.load();
  return { title: `Channels of ${tenant}`, content: [list.element] };
}

function channel(page, one) {
  const { name, webhook_url, paste, runs, settings } = one;
  const url = make("input", { readonly: true, value: webhook_url });
  return [
    make("h2", {}, name),
    make("p", {}, `${settings?.vendor ?? "unknown vendor"}, answered by ${settings?.bot ?? settings?.relay ?? "nobody"}. `,
      make("span", { class: runs ? "mark" : "mark bad" }, runs ? "connected" : "not connected: the host's log says why")),
    pausing(page, "channels", one),
    field(`Webhook URL of ${name}`, url, paste ? "Where the vendor sends what happens." : "Paste it at the vendor: there the vendor sends what happens."),
    button(`Copy the URL of ${name}`, () => copy(url)),
    paste ? folded("What to paste at the vendor", facts(paste.map(({ field: where, value }) => [where, value]))) : null,
    folded("Settings", json(settings)),
  ];
}

/** Browsers give the clipboard only to pages over TLS; without it, the text is marked. */
async function copy(input) {
  try {
    await navigator.clipboard.writeText(input.value);
    say("Copied.");
  } catch {
    input.focus();
    input.select();
    say("The browser lets this page copy nothing. The URL is marked: copy it with your keyboard.");
  }
}
