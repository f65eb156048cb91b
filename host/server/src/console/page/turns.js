// A turn: what happened, what the bot did and wrote, and what it cost.

import { actionShown } from "./actions.js";
import { folded, json, make } from "./dom.js";
import { cpu, moment, outcome, short } from "./format.js";

/** A turn of a list: `place` stands before it, for instance the conversation. */
export function turnShown(turn, place = null) {
  const failed = turn.result?.failed;
  return [
    make("p", { class: "turn" },
      place, place ? ", " : null,
      `turn ${turn.seq}: `,
      make("span", { class: failed ? "mark bad" : "mark" }, outcome(turn.result)),
      turn.version ? [" by ", make("code", {}, short(turn.version))] : null,
      turn.cpu_us > 0 ? `, ${cpu(turn.cpu_us)}` : null,
      turn.received_ms ? `, ${moment(turn.received_ms)}` : null),
    turn.happened ? make("p", { class: "happened" }, make("span", { class: "mark" }, turn.happened.name), " ", words(turn.happened.payload)) : null,
    logShown(turn.log),
    turn.actions.map((action) => actionShown(action)),
    folded("As JSON", json(turn)),
  ];
}

/** What somebody said, where an event has words of theirs. */
function words(payload) {
  const { text, label, link, first } = payload ?? {};
  return text ?? label ?? link ?? (first ? words(first.payload) : null);
}

/** What a bot wrote into its log. */
export function logShown(lines) {
  return lines.length === 0 ? null : make("ul", { class: "log" }, lines.map(({ level, message }) =>
    make("li", { class: level }, make("span", { class: "mark" }, level), " ", message)));
}

/** Says that people's texts are hidden, where they are. */
export function hidden(session) {
  return session.hidesTexts
    ? make("p", { class: "note" }, "Your token hides what people said and were told: their lengths stand there. Ask for one with full texts to read them.")
    : null;
}
