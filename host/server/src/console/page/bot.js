// A bot, in parts: its versions, a place to try them, what answers, and what it does.

import { Problem, at } from "./api.js";
import { deployment } from "./deployment.js";
import { make } from "./dom.js";
import { logs } from "./logs.js";
import { pausing } from "./pause.js";
import { link, to } from "./shell.js";
import { trial } from "./trial.js";
import { versions } from "./versions.js";

const PARTS = [
  ["versions", "Versions", "Versions of", versions],
  ["try", "Try", "Try", trial],
  ["deployment", "Deployment", "Deployment of", deployment],
  ["logs", "Logs", "Logs of", logs],
];

export async function bot(page, [name, part = "versions", chosen]) {
  const { api, tenant, signal } = page;
  const found = PARTS.find(([one]) => one === part);
  if (!found) {
    const title = "This page has no such view.";
    throw new Problem({ code: "no-such-view", title, detail: `A bot has no part ${part}.` });
  }
  const about = await api.get(at`tenants/${tenant}/bots/${name}`, {}, signal);
  const [, , title, build] = found;
  const content = await build({ ...page, bot: name, about, chosen });
  const links = PARTS.map(([one, word]) => link(word, to(tenant, "bots", name, one), one === part));
  return {
    title: `${title} ${name}`,
    before: make("nav", { class: "parts", "aria-label": `Parts of ${name}` }, links),
    content: [pausing(page, "bots", about), content],
  };
}
