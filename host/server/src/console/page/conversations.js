// Conversations of a tenant, and the turns of one.

import { at } from "./api.js";
import { facts, field, form, make, select } from "./dom.js";
import { counted, moment } from "./format.js";
import { paged } from "./list.js";
import { to } from "./shell.js";
import { hidden, turnShown } from "./turns.js";

const OWNERS = {
  bot: "the bot has it",
  relay: "an external bot has it",
  handing_off: "it is being handed to a human",
  human: "a human has it",
  ended: "it has ended",
};

export async function conversations({ api, tenant, signal }) {
  const all = await api.all(at`tenants/${tenant}/channels`, signal);
  const channel = select([["", "all channels"], ...all.map(({ name }) => [name, name])], "", { name: "channel" });
  const email = make("input", { type: "email", name: "email", autocomplete: "off" });
  const place = make("div");
  async function load() {
    const which = { channel: channel.value, email: email.value.trim() };
    const list = paged({
      fetch: (after) => api.get(at`tenants/${tenant}/conversations`, { ...which, after }, signal),
      show: (one) => summary(tenant, one),
      noun: "conversation",
      empty: "There is no such conversation.",
    });
    place.replaceChildren(list.element);
    await list.load();
  }
  await load();
  const search = form(load, make("div", { class: "row" },
    field("Channel", channel), field("Email of the person", email), make("button", {}, "Search")));
  return { title: `Conversations of ${tenant}`, content: [search, place] };
}

function summary(tenant, one) {
  const { channel, conversation, turns, active_ms, owner } = one;
  return [
    make("h2", {}, make("a", { href: to(tenant, "conversations", channel, conversation) }, conversation)),
    make("p", {}, `${channel}, ${counted(turns, "turn")}, last on ${moment(active_ms)}${owner ? `; ${OWNERS[owner] ?? owner}` : ""}.`),
  ];
}

export async function conversation({ session, api, tenant, signal }, [channel, key]) {
  const path = at`tenants/${tenant}/channels/${channel}/conversations/${key}`;
  const one = await api.get(path, {}, signal);
  const list = paged({
    fetch: (after) => api.get(`${path}/turns`, { after }, signal),
    show: (turn) => turnShown(turn),
    noun: "turn",
    empty: "It has no turn yet.",
  });
  await list.load();
  const about = facts([
    ["Channel", channel],
    ["Turns", String(one.turns)],
    ["Last active", moment(one.active_ms)],
    ["Who may speak", OWNERS[one.owner] ?? one.owner],
    ["With a human since", one.human_ms && moment(one.human_ms)],
  ]);
  return {
    title: `Conversation ${key}`,
    before: make("p", {}, make("a", { href: to(tenant, "conversations") }, "All conversations")),
    content: [about, hidden(session), list.element],
  };
}
