// Builds the component: node build.mjs [output.wasm]

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { componentize } from "@bytecodealliance/componentize-js";

const here = dirname(fileURLToPath(import.meta.url));
const output = process.argv[2] ?? join(here, "echo_js.wasm");

const { component } = await componentize(await readFile(join(here, "bot.js"), "utf8"), {
  sourceName: "bot.js",
  witPath: join(here, "../../wit/v1"),
  worldName: "bot",
  // The host denies wasi:http, so the engine's own `fetch` stays out. Standard
  // error has to stay in: the text of a thrown error is found only there. So do
  // clocks and chance, which the host fixes for each turn.
  disableFeatures: ["http", "fetch-event"],
});

await mkdir(dirname(output), { recursive: true });
await writeFile(output, component);
console.log(`${output}: ${(component.length / 1024 / 1024).toFixed(1)} MiB`);
