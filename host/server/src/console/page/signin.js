// Signing in, and which tenant is looked at.

import { Problem } from "./api.js";
import { field, form, make } from "./dom.js";
import { moment } from "./format.js";
import { problemBox, shown } from "./problem.js";
import { paged } from "./list.js";
import { to } from "./shell.js";

/** Asks for a token; `enter` signs in with it or throws the problem. */
export function signIn(enter, reason) {
  const token = make("input", { type: "password", name: "token", autocomplete: "off", spellcheck: "false", required: true });
  const problems = make("div", {}, reason ? problemBox(reason) : null);
  const submit = () => shown(problems, async () => {
    const text = token.value.trim();
    if (text === "") {
      throw new Problem({
        code: "no-token",
        title: "There is no token yet.",
        detail: "The operator of the host, or an administrator of your tenant, gives you one.",
      });
    }
    await enter(text);
  });
  return {
    title: "Sign in",
    content: [
      make("p", {}, "This page shows bots to those who own them: upload a version, try it, bring it into use, and see what it does."),
      form(submit,
        field("Token", token, "It begins with botyard_. It stays in this tab, and is forgotten when the tab is closed."),
        make("button", { class: "primary" }, "Sign in")),
      problems,
    ],
  };
}

/** The tenants of the host, for an operator. */
export async function tenants(session, signal) {
  const list = paged({
    fetch: (after) => session.api.get("tenants", { after }, signal),
    show: (tenant) => [
      make("h2", {}, make("a", { href: to(tenant.name, "bots") }, tenant.name)),
      make("p", {}, tenant.label ? `${tenant.label}, since ` : "Since ", moment(tenant.created_ms)),
    ],
    noun: "tenant",
    empty: "This host has no tenant yet. Make one: botyard tenant create NAME.",
  });
  await list.load();
  return { title: "Tenants", content: [list.element] };
}
