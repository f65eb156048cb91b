// Dead letters: actions that were given up, and sending them again.

import { actionShown } from "./actions.js";
import { at } from "./api.js";
import { button, confirmed, facts, folded, json, make, say } from "./dom.js";
import { moment } from "./format.js";
import { paged } from "./list.js";
import { shown } from "./problem.js";
import { to } from "./shell.js";
import { hidden } from "./turns.js";

export async function letters(page) {
  const { session, api, tenant, signal } = page;
  const list = paged({
    fetch: (after) => api.get(at`tenants/${tenant}/dead-letters`, { after }, signal),
    show: (one) => letter(page, one),
    noun: "dead letter",
    empty: "Nothing was given up.",
  });
  await list.load();
  return { title: `Dead letters of ${tenant}`, content: [hidden(session), list.element] };
}

function letter({ session, api, tenant, signal }, one) {
  const { part, channel, conversation } = one;
  const outcome = make("div", { tabindex: "-1" });
  const heading = make("h2", { id: `letter-${part}` }, one.action, " to ",
    make("a", { href: to(tenant, "conversations", channel, conversation) }, `${channel}, ${conversation}`));
  const again = button("Send again", () => shown(outcome, async () => {
    const explanation = "It goes behind what waits in its conversation. Where the vendor may have had it already, the person gets it twice.";
    if (await confirmed("Send it again?", explanation, "Send it again")) {
      await api.post(at`tenants/${tenant}/dead-letters/${part}/redrive`, undefined, signal);
      again.remove();
      outcome.replaceChildren(make("p", { class: "done" }, "It waits in its conversation again."));
      outcome.focus();
      say("It waits in its conversation again.");
    }
  }), { "aria-describedby": heading.id });
  return [
    heading,
    facts([["Why", one.reason], ["Given up", moment(one.given_up_ms)], ["Made", moment(one.made_ms)], ["Part", make("code", {}, part)]]),
    one.content?.name ? actionShown(one.content) : null,
    folded("As JSON", json(one.content)),
    session.may("deploy") ? again : null,
    outcome,
  ];
}
