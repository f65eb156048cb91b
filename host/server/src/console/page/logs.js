// What a bot did over all its conversations: what there is, and what comes from now on.

import { at } from "./api.js";
import { button, field, make, say, select } from "./dom.js";
import { paged } from "./list.js";
import { isLeft, problemBox } from "./problem.js";
import { to } from "./shell.js";
import { EventReader } from "./stream.js";
import { hidden, turnShown } from "./turns.js";

const MINUTE = 60_000;
/** So many turns are kept on the page while it follows. */
const LIVE_MAX = 200;
/** What is new is said this often at most (milliseconds). */
const SAID_EVERY = 5_000;
const RANGES = [[60, "the last hour"], [24 * 60, "the last day"], [7 * 24 * 60, "the last seven days"]];

export async function logs(page) {
  const { session, api, tenant, bot, signal } = page;
  const range = select(RANGES.map(([minutes, text]) => [String(minutes), text]), "60", { name: "range" });
  const place = make("div");
  async function load() {
    const since_ms = Date.now() - Number(range.value) * MINUTE;
    const list = paged({
      fetch: (after) => api.get(at`tenants/${tenant}/bots/${bot}/logs`, { since_ms, after }, signal),
      show: (turn) => turnShown(turn, conversationLink(page, turn)),
      noun: "turn",
      empty: "Nothing happened in this time.",
    });
    place.replaceChildren(list.element);
    await list.load();
  }
  range.addEventListener("change", load);
  await load();
  return [
    hidden(session),
    live(page),
    make("h2", {}, "What there is"),
    make("div", { class: "row" }, field("Turns of", range), button("Look again", load)),
    place,
  ];
}

function conversationLink({ session, tenant }, { channel, conversation }) {
  const text = `${channel}, ${conversation}`;
  return session.me.bot ? text : make("a", { href: to(tenant, "conversations", channel, conversation) }, text);
}

function live(page) {
  const { api, tenant, bot, signal } = page;
  const list = make("ul", { class: "cards" });
  const state = make("p", { class: "hint" }, "Not following.");
  const problems = make("div");
  let following = null;
  let [unsaid, said] = [0, 0];
  signal.addEventListener("abort", () => following?.abort());

  const toggle = button("Follow live", () => {
    if (following) {
      following.abort();
    } else {
      // It goes on until it is stopped: the button must not wait for it.
      follow();
    }
  });

  async function follow() {
    following = new AbortController();
    toggle.textContent = "Stop following";
    state.textContent = "Following: what happens appears here, the newest first.";
    say("Following.");
    problems.replaceChildren();
    const events = new EventReader();
    try {
      await api.follow(at`tenants/${tenant}/bots/${bot}/logs/live`, (piece) => {
        for (const { event, data } of events.take(piece)) {
          if (event === "turn") {
            add(JSON.parse(data));
          }
        }
      }, following.signal);
      state.textContent = "The host has ended the stream. Follow again for what comes next.";
    } catch (problem) {
      state.textContent = "Not following.";
      if (!isLeft(problem)) {
        problems.replaceChildren(problemBox(problem));
      }
    } finally {
      following = null;
      toggle.textContent = "Follow live";
    }
  }

  function add(turn) {
    list.prepend(make("li", { class: "card" }, turnShown(turn, conversationLink(page, turn))));
    while (list.children.length > LIVE_MAX) {
      list.lastChild.remove();
    }
    announce(turn);
  }

  /** Says what is new, and of many turns only how many: a voice cannot keep up with them. */
  function announce({ conversation }) {
    unsaid += 1;
    if (unsaid > 1) {
      return;
    }
    setTimeout(() => {
      say(unsaid === 1 ? `New turn in ${conversation}.` : `${unsaid} new turns.`);
      [unsaid, said] = [0, Date.now()];
    }, Math.max(0, said + SAID_EVERY - Date.now()));
  }

  return make("section", { "aria-labelledby": "live" }, make("h2", { id: "live" }, "Live"), state, toggle, problems, list);
}
