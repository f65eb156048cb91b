// The comparison, see README.md.

import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { contestants } from "./driver/contestants.js";
import * as scenarios from "./driver/scenarios.js";
import { table } from "./driver/table.js";

const { values } = parseArgs({
  options: {
    botyard: { type: "string", default: "../../target/release/botyard" },
    puppet: {
      type: "string",
      default: "../../target/wasm32-wasip2/plugin/botyard_plugin_puppet.wasm",
    },
    only: { type: "string", default: "" },
    scenario: { type: "string", default: "" },
    kills: { type: "string", default: "30" },
    jobs: { type: "string", default: "4" },
    seed: { type: "string", default: "1" },
    raw: { type: "boolean", default: false },
  },
});

const directory = mkdtempSync(join(tmpdir(), "botyard-peers-"));
// The database may run as somebody else, who has to get to its folder.
chmodSync(directory, 0o711);
try {
  const found = await compare();
  console.log(values.raw ? JSON.stringify(found, null, 2) : table(found));
} finally {
  rmSync(directory, { recursive: true, force: true });
}
process.exit(0);

// Several at a time: they wait more than they work.
async function compare() {
  const all = contestants({ program: values.botyard, component: values.puppet });
  const names = Object.keys(all).filter((name) => name.includes(values.only));
  const wanted = Object.keys(scenarios).filter((name) => name.includes(values.scenario));
  const found = Object.fromEntries(names.map((name) => [name, {}]));
  // The long ones first, so that none is left alone at the end.
  const plays = wanted.flatMap((scenario) => names.map((name) => ({ name, scenario })));
  plays.sort((a, b) => (b.scenario === "crash") - (a.scenario === "crash"));
  const lane = async () => {
    for (let next = plays.shift(); next; next = plays.shift()) {
      const { name, scenario } = next;
      const start = Date.now();
      found[name][scenario] = await play(all[name](), `${name}-${scenario}`, scenario);
      console.error(`${name}: ${scenario}: ${((Date.now() - start) / 1000).toFixed(0)} s`);
    }
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, lane));
  return found;
}

async function play(site, name, scenario) {
  const kills = Number(values.kills);
  const options = { messages: 100, updates: 20, kills, random: generator(Number(values.seed)) };
  try {
    await site.open(join(directory, name.replaceAll(/[ ,]+/g, "-")));
    return await scenarios[scenario](site, options);
  } finally {
    await site.close();
  }
}

// Numbers in [0, 1) that follow from the seed (mulberry32).
function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
