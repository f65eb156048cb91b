// The bots of a tenant.

import { at } from "./api.js";
import { field, folded, form, json, make } from "./dom.js";
import { short } from "./format.js";
import { paged } from "./list.js";
import { mark } from "./pause.js";
import { shown } from "./problem.js";
import { to } from "./shell.js";

export async function bots({ session, api, tenant, signal }) {
  const list = paged({
    fetch: (after) => api.get(at`tenants/${tenant}/bots`, { after }, signal),
    show: (bot) => [
      make("h2", {}, make("a", { href: to(tenant, "bots", bot.name) }, bot.name)),
      make("p", {}, mark(bot.paused), bot.paused ? " " : "", answers(bot), bot.offered ? " Other tenants may run it." : ""),
      folded("Settings", json(bot.settings)),
    ],
    noun: "bot",
    empty: "There is no bot yet.",
  });
  await list.load();
  return { title: `Bots of ${tenant}`, content: [list.element, creation({ session, api, tenant })] };
}

function answers(bot) {
  const shared = bot.shared ? `It runs the versions of the operator's bot ${bot.shared}. ` : "";
  return bot.version
    ? [shared, "Version ", make("code", {}, short(bot.version)), " answers."]
    : `${shared}No version answers yet.`;
}

function creation({ session, api, tenant }) {
  if (session.me.bot) {
    return null;
  }
  const lacks = session.lacks("admin");
  const name = make("input", { name: "name", autocomplete: "off", spellcheck: "false", maxlength: "63" });
  const problems = make("div");
  const submit = () => shown(problems, async () => {
    // Setting a bot anew that is there would take its settings away.
    const path = at`tenants/${tenant}/bots/${name.value.trim()}`;
    const known = await api.get(path).then(() => true, () => false);
    if (!known) {
      await api.put(path, {});
    }
    location.hash = to(tenant, "bots", name.value.trim());
  });
  return make("section", { "aria-labelledby": "creation" },
    make("h2", { id: "creation" }, "Make a bot"),
    lacks ? make("p", {}, lacks) : form(submit,
      field("Name", name, "1 to 63 characters: a-z, 0-9 and -, which is not the first."),
      make("button", {}, "Make it"), problems));
}
