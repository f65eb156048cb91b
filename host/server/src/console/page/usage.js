// What a tenant keeps against its limit, and what its bots have used of late.

import { at } from "./api.js";
import { facts, make } from "./dom.js";
import { bytes, counted, cpu } from "./format.js";
import { sums } from "./sums.js";

const DAY_MS = 24 * 60 * 60_000;
const PARTS = [
  ["conversations", "Conversations, with dead letters"],
  ["components", "Uploaded components"],
  ["values", "Values of bots"],
  ["captures", "Captured webhooks"],
  ["notes", "Notes that end by themselves"],
  ["records", "Settings, secrets, tokens"],
  ["audit", "The audit"],
];

export async function usage({ api, tenant, signal }) {
  const [storage, hours] = await Promise.all([
    api.get(at`tenants/${tenant}/storage`, {}, signal),
    api.all(at`tenants/${tenant}/usage?from_ms=${Date.now() - DAY_MS}`, signal),
  ]);
  return { title: `Usage of ${tenant}`, content: [kept(storage), used(sums(hours))] };
}

function kept(storage) {
  const { bytes: all, limit } = storage;
  const of = limit === undefined ? "without a limit" : `of ${bytes(limit)}`;
  const meter = limit > 0 && make("progress", { id: "storage", max: "1", value: String(Math.min(1, all / limit)) });
  const full = limit !== undefined && all > limit * 0.9;
  return [
    make("h2", {}, "Storage"),
    make("p", {}, meter ? make("label", { for: "storage" }, `${bytes(all)} ${of}`) : `${bytes(all)} ${of}`),
    meter,
    full ? make("p", { class: "note" }, "Little room is left: delete versions and bots that nobody needs, keep conversations for less time, or ask the operator for more. When it is used up, uploads and events are refused.") : null,
    facts(PARTS.map(([part, words]) => [words, bytes(storage[part])])),
    storage.bots.map((of) => [
      make("h3", {}, of.bot),
      facts([["Components", bytes(of.components)], ["Values", bytes(of.values)]]),
    ]),
  ];
}

function used(all) {
  return [
    make("h2", {}, "Used in the last day"),
    all.size === 0 ? make("p", {}, "Nothing was used.") : null,
    [...all].map(([bot, of]) => [
      make("h3", {}, bot),
      facts([
        ["Events", of.events ?? 0],
        ["Turns", `${of.turns ?? 0}${of.failed_by_bot ? `, of which ${counted(of.failed_by_bot, "turn")} failed by the bot` : ""}`],
        ["Processor", cpu(of.cpu_us ?? 0)],
        ["Memory", `${bytes(of.memory_peak_bytes ?? 0)} at most in a turn`],
        ["Calls", of.calls ?? 0],
        ["Log", bytes(of.log_bytes ?? 0)],
        ["Trials", of.trial_turns ? `${counted(of.trial_turns, "turn")}, ${cpu(of.trial_cpu_us ?? 0)}` : null],
      ]),
    ]),
  ];
}
