// A version is tried in a conversation of its own: nothing is sent and nothing is kept. The
// host remembers nothing of it, so each step plays the whole conversation again.

import { actionShown } from "./actions.js";
import { Problem, at } from "./api.js";
import { button, field, folded, form, json, make, say, select } from "./dom.js";
import { bytes, counted, cpu, moment, outcome, short } from "./format.js";
import { shown } from "./problem.js";
import { logShown } from "./turns.js";

const EVENTS_MAX = 20;

export async function trial(page) {
  const { api, tenant, bot, signal, chosen, session } = page;
  const lacks = session.lacks("deploy");
  if (lacks) {
    return [make("p", {}, lacks)];
  }
  const all = await api.all(at`tenants/${tenant}/bots/${bot}/versions`, signal);
  if (all.length === 0) {
    return [make("p", {}, "Upload a version first.")];
  }
  all.sort((one, other) => other.uploaded_ms - one.uploaded_ms);
  // Whoever reaches only this bot reaches no channel.
  const channels = session.me.bot ? [] : await api.all(at`tenants/${tenant}/channels`, signal);
  return new Trial(page, all, channels, chosen).content();
}

class Trial {
  #events = [];
  #turns = 0;

  constructor({ api, tenant, bot, signal }, all, channels, chosen) {
    Object.assign(this, { api, tenant, bot, signal });
    const versions = all.map(({ digest, uploaded_ms }) => [digest, `${short(digest)}, uploaded ${moment(uploaded_ms)}`]);
    const places = [["", "no channel"], ...channels.map(({ name, settings }) => [name, `${name} (${settings?.vendor ?? "?"})`])];
    this.version = select(versions, chosen, { name: "version" });
    this.channel = select(places, "", { name: "channel" });
    this.vendor = make("input", { name: "vendor", placeholder: "userlike", spellcheck: "false" });
    this.medium = make("input", { name: "medium", placeholder: "web", spellcheck: "false" });
    this.locale = make("input", { name: "locale", placeholder: "en", spellcheck: "false" });
    this.text = make("input", { name: "text", autocomplete: "off" });
    this.transcript = make("div", { class: "chat", role: "log", "aria-label": "Conversation", tabindex: "0" });
    this.problems = make("div");
    this.cost = make("p", { class: "hint" });
    for (const control of [this.version, this.channel, this.vendor, this.medium, this.locale]) {
      control.addEventListener("change", () => this.#restart());
    }
  }

  content() {
    const write = () => this.#write();
    return [
      make("p", {}, "Nothing is sent, nothing is kept. Calls of the bot to other hosts are denied here, and its own values are empty."),
      make("div", { class: "row" }, field("Version", this.version), field("As if it came in by", this.channel)),
      folded("Without a channel: as if from", make("div", { class: "row" },
        field("Vendor", this.vendor), field("Medium", this.medium), field("Language", this.locale))),
      this.transcript,
      this.cost,
      form(write, field("Message", this.text), make("div", { class: "row" },
        make("button", { class: "primary" }, "Send"),
        button("Open the conversation", () => this.#send({ name: "start", payload: { approach: "normal" } }, "opens the conversation")),
        button("Begin anew", () => this.#restart()))),
      this.problems,
      this.#anyEvent(),
    ];
  }

  /** Any other event, in the canonical form. */
  #anyEvent() {
    const text = make("textarea", { name: "event", rows: "5", spellcheck: "false" });
    text.value = JSON.stringify({ name: "location", payload: { latitude: 52.52, longitude: 13.4 } }, null, 2);
    const wrong = make("div");
    const submit = () => shown(wrong, () => {
      const event = read(text.value);
      return this.#send(event, `event ${event.name}`);
    });
    return folded("Send any other event", form(submit,
      field("Event as JSON", text, "A name and a payload, as in the API."), make("button", {}, "Send the event"), wrong));
  }

  #restart() {
    this.#events = [];
    this.#turns = 0;
    this.transcript.replaceChildren();
    this.problems.replaceChildren();
    this.cost.textContent = "";
    say("A new conversation.");
    this.text.focus();
  }

  async #write() {
    const text = this.text.value;
    if (text !== "" && await this.#send({ name: "message", payload: { text } }, text)) {
      this.text.value = "";
    }
    this.text.focus();
  }

  async #choose(chosen) {
    const [{ label }] = chosen;
    const payload = { option_ids: chosen.map(({ id }) => id), label };
    await this.#send({ name: "click", payload }, `chose ${chosen.map((one) => one.label).join(", ")}`);
    this.text.focus();
  }

  /** Adds an event and shows what it came to. Answers whether it was run. */
  async #send(event, words) {
    if (this.#events.length === EVENTS_MAX) {
      this.problems.replaceChildren(make("p", { class: "note", role: "alert" }, `A trial has at most ${EVENTS_MAX} events: begin anew.`));
      return false;
    }
    const events = [...this.#events, event];
    const path = at`tenants/${this.tenant}/bots/${this.bot}/versions/${this.version.value}/try`;
    const answer = await shown(this.problems, () => this.api.post(path, { events, ...this.#place() }, this.signal));
    if (!answer) {
      return false;
    }
    this.#events = events;
    const fresh = answer.turns.slice(this.#turns);
    this.#turns = answer.turns.length;
    this.transcript.append(make("p", { class: "person" }, make("span", { class: "unseen" }, "Person: "), words));
    for (const turn of fresh) {
      this.transcript.append(this.#turn(turn));
    }
    this.transcript.scrollTop = this.transcript.scrollHeight;
    this.cost.textContent = `${counted(answer.turns.length, "turn")}, ${cpu(answer.cpu_us)} together.`;
    return true;
  }

  #place() {
    const given = {
      channel: this.channel.value,
      vendor: this.channel.value ? "" : this.vendor.value.trim(),
      medium: this.medium.value.trim(),
      locale: this.locale.value.trim(),
    };
    return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ""));
  }

  #turn(turn) {
    const failed = turn.result !== "ran";
    const said = turn.actions.map((action) => actionShown(action, (chosen) => this.#choose(chosen)));
    return make("div", { class: "bot" },
      make("span", { class: "unseen" }, "Bot: "),
      said.length > 0 || failed ? said : make("p", { class: "hint" }, `No actions for ${turn.event}.`),
      failed ? make("p", { class: "note" }, `On ${turn.event}, the bot ${outcome(turn.result)}`) : null,
      logShown(turn.log),
      folded(`On ${turn.event}: ${counted(turn.actions.length, "action")}, ${counted(turn.sends.length, "call")}, ${cpu(turn.cpu_us)}, ${bytes(turn.memory_bytes)} of memory`,
        make("h2", {}, "Actions"), json(turn.actions),
        make("h2", {}, "What would be sent"), json(turn.sends),
        make("h2", {}, "Context afterwards"), make("pre", {}, make("code", {}, turn.context || "none"))));
  }
}

function read(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Problem({ code: "no-json", title: "The event is no JSON.", detail: error.message });
  }
}
