// The parts of the console that need no browser.

import assert from "node:assert/strict";
import { test } from "node:test";

import { differences } from "../../host/server/src/console/page/differences.js";
import { bytes, counted, cpu, outcome, short } from "../../host/server/src/console/page/format.js";
import { EventReader } from "../../host/server/src/console/page/stream.js";
import { sums } from "../../host/server/src/console/page/sums.js";

const STREAM = ': keep-alive\n\nevent: turn\ndata: {"seq":1}\n\nevent: turn\r\ndata: one\r\ndata:two\r\n\r\ndata: bare\n\n';

test("events are read however the stream is cut", () => {
  const whole = [
    { event: "turn", data: '{"seq":1}' },
    { event: "turn", data: "one\ntwo" },
    { event: "message", data: "bare" },
  ];
  for (let size = 1; size <= STREAM.length; size += 1) {
    const reader = new EventReader();
    const found = [];
    for (let start = 0; start < STREAM.length; start += size) {
      found.push(...reader.take(STREAM.slice(start, start + size)));
    }
    assert.deepEqual(found, whole, `pieces of ${size}`);
  }
});

test("an event that is not whole yet is not told", () => {
  const reader = new EventReader();
  assert.deepEqual(reader.take("data: half\n"), []);
  assert.deepEqual(reader.take("\n"), [{ event: "message", data: "half" }]);
});

const version = (imports, manifest) => ({ imports, tier: "native", manifest });

test("differences name what was added and what was taken away", () => {
  const before = version(["a", "b"], { hosts: ["one.example"], version: "1.0.0", degrade: "allow" });
  const after = version(["b", "c"], { hosts: ["two.example"], version: "1.1.0", degrade: "allow" });
  assert.deepEqual(differences(before, after), {
    imports: { added: ["c"], removed: ["a"] },
    hosts: { added: ["two.example"], removed: ["one.example"] },
    others: [{ what: "Version of its author", before: "1.0.0", after: "1.1.0" }],
  });
  const same = { imports: { added: [], removed: [] }, hosts: { added: [], removed: [] }, others: [] };
  assert.deepEqual(differences(before, before), same);
});

test("a version without a manifest differs from one with it", () => {
  const found = differences(version(["a"]), version(["a"], { hosts: ["one.example"], sdk: "rust 0.1.0" }));
  assert.deepEqual(found.hosts.added, ["one.example"]);
  assert.deepEqual(found.others, [{ what: "SDK", before: "none", after: "rust 0.1.0" }]);
});

test("numbers and outcomes are put into words", () => {
  assert.deepEqual([0, 1023, 1024, 1_572_864].map(bytes), ["0 bytes", "1023 bytes", "1.0 KiB", "1.5 MiB"]);
  assert.equal(cpu(1234), "1.23 ms CPU");
  assert.deepEqual([counted(1, "turn"), counted(2, "turn")], ["1 turn", "2 turns"]);
  assert.equal(short("0123456789abcdef"), "0123456789ab");
  assert.equal(outcome("ran"), "ran");
  assert.equal(outcome({ skipped: "NotOwner" }), "nobody ran: not owner");
  assert.equal(outcome({ failed: { kind: "trap", message: "it broke", blame: "bot" } }), "failed: trap, it broke (to blame: the bot)");
});

test("hours are summed up by bot, and of memory the most counts", () => {
  const hours = [
    { bot: "two", hour_ms: 1, turns: 1, memory_peak_bytes: 70 },
    { bot: "one", hour_ms: 1, events: 3 },
    { bot: "two", hour_ms: 2, turns: 4, memory_peak_bytes: 30 },
  ];
  assert.deepEqual([...sums(hours)], [["one", { events: 3 }], ["two", { turns: 5, memory_peak_bytes: 70 }]]);
  assert.equal(sums([]).size, 0);
});
