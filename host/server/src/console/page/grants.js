// What a version wishes for and its bot may not have yet, and who grants it.

import { at } from "./api.js";
import { button, confirmed, make, say } from "./dom.js";
import { moment, short } from "./format.js";
import { shown } from "./problem.js";

/** Wishes that wait, with a button for whoever may grant them. `done` hears of a grant. */
export function pendingBox(page, digest, pending, done = () => {}) {
  if (pending.length === 0) {
    return null;
  }
  const outcome = make("div", { tabindex: "-1" });
  return make("div", { class: "note" },
    make("p", {}, make("strong", {}, "Not granted: "), "while anything is missing, the version is not deployed."),
    make("ul", {}, pending.map((one) => make("li", {}, one.text))),
    approval(page, digest, pending, outcome, done),
    outcome);
}

/** The deployment that waits for a grant. */
export async function waiting(page, done) {
  const { api, tenant, bot, session, signal } = page;
  const path = at`tenants/${tenant}/bots/${bot}/grants`;
  const found = (await api.get(path, {}, signal)).waiting;
  if (!found) {
    return null;
  }
  const outcome = make("div", { tabindex: "-1" });
  const share = found.percent ? ` as a canary with ${found.percent} of a hundred new conversations` : "";
  const decline = button("Do not grant it", () => shown(outcome, async () => {
    await api.delete(path, signal);
    await done("Nothing waits for a grant any more.");
  }));
  return make("section", { class: "card", "aria-labelledby": "waiting" },
    make("h2", { id: "waiting" }, "A deployment waits for a grant"),
    make("p", {}, "Version ", make("code", { title: found.version }, short(found.version)),
      ` is to answer${share}: ${found.asked_by} asked for it at ${moment(found.asked_ms)}. What answers now goes on until then.`),
    pendingBox(page, found.version, found.pending, done)
      ?? approval(page, found.version, found.pending, outcome, done),
    session.may("admin") ? decline : null,
    outcome);
}

function approval(page, digest, pending, outcome, done) {
  if (!page.session.may("admin")) {
    return make("p", {}, "An administrator of the tenant can grant it.");
  }
  const own = pending.filter((one) => one.approver !== "operator");
  if (own.length === 0 && pending.length > 0) {
    return make("p", {}, "Only the operator of the host can allow it.");
  }
  const names = own.map((one) => one.name).join(", ");
  const label = names ? `Approve ${names}` : "Approve";
  return button(label, () => shown(outcome, async () => {
    const explanation = names
      ? `Every version of ${page.bot} that wishes for it may call ${names} from then on. A deployment that waits for it goes ahead.`
      : "The deployment goes ahead.";
    if (!await confirmed(`Let ${page.bot} have what it wishes for?`, explanation, "Approve")) {
      return;
    }
    const path = at`tenants/${page.tenant}/bots/${page.bot}/grants`;
    const answer = await page.api.post(path, { version: digest }, page.signal);
    const said = [
      answer.granted.length > 0 ? `Granted: ${answer.granted.map((one) => one.name).join(", ")}.` : "There was nothing to grant.",
      answer.deployment ? "The deployment that waited went ahead." : "",
      answer.pending.length > 0 ? "The operator of the host has to allow the rest." : "",
    ].filter(Boolean).join(" ");
    outcome.replaceChildren(make("p", { class: "done" }, said));
    outcome.focus();
    say(said);
    await done(said);
  }), { class: "primary" });
}
