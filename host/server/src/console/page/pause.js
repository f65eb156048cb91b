// That a bot or a channel is stopped for a while, and a button for whoever may stop it or
// let it go on.

import { at } from "./api.js";
import { button, confirmed, make, say } from "./dom.js";
import { moment } from "./format.js";
import { shown } from "./problem.js";

const WHAT = {
  bots: ["bot", "What people write is accepted and waits until it is resumed. Nothing new is run."],
  channels: ["channel", "What people write is accepted and waits until it is resumed, and nothing is sent to the vendor. What waits too long is given up."],
};

/** The state of a bot or channel, as the API has it now, and what can be done about it. */
export function pausing({ session, api, tenant, signal }, kind, { name, paused }) {
  const [word, explanation] = WHAT[kind];
  const place = make("div");
  const problems = make("div");
  const change = (step, done) => shown(problems, async () => {
    const now = await api.post(at`tenants/${tenant}/${kind}/${name}/${step}`, undefined, signal);
    if (!now) {
      place.replaceChildren(make("p", { class: "hint", tabindex: "-1" }, `${name} was deleted in its pause: load the page again.`));
    } else {
      draw(now.paused);
    }
    place.querySelector("button, .hint").focus();
    say(now ? done : `${name} was deleted.`);
  });
  const actions = {
    pause: async () => {
      if (await confirmed(`Pause the ${word} ${name}?`, explanation, "Pause")) {
        await change("pause", `${name} is paused.`);
      }
    },
    resume: () => change("resume", `${name} goes on.`),
  };

  function control(held) {
    if (!session.may("deploy")) {
      return null;
    }
    if (!held) {
      return button(`Pause ${name}`, actions.pause);
    }
    return held.by_operator && !session.may("operator")
      ? make("p", { class: "hint", tabindex: "-1" }, "Only the operator ends it.")
      : button(`Resume ${name}`, actions.resume);
  }

  function draw(held) {
    place.replaceChildren(...[
      held && make("p", {}, mark(held), ` since ${moment(held.since_ms)} by ${held.by}${held.reason ? `: ${held.reason}` : ""}. ${explanation}`),
      control(held),
    ].filter(Boolean));
  }

  draw(paused);
  return make("div", { class: "pausing" }, place, problems);
}

/** A word that cannot be overlooked, where something is paused. */
export function mark(paused) {
  return paused ? make("span", { class: "mark bad" }, "paused") : null;
}
