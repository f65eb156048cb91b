// Starting and ending the programs that are compared.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const READY_WITHIN_MS = 60_000;
const running = new Set();

process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));

const READY = /listening on.*?(http:\/\/127\.0\.0\.1:\d+)/;

// A program that says when it takes requests, and where.
export class Program {
  constructor(child) {
    this.child = child;
    this.ended = new Promise((resolve) => child.once("exit", resolve));
    this.log = [];
  }

  static async start(command, args, { env = {}, ready = READY, user = {} } = {}) {
    const child = spawn(command, args, {
      ...user,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    running.add(child);
    const program = new Program(child);
    program.ended.then(() => running.delete(child));
    program.url = await program.#ready(command, ready);
    return program;
  }

  async kill() {
    this.child.kill("SIGKILL");
    await this.ended;
  }

  #ready(command, ready) {
    return new Promise((resolve, reject) => {
      const fail = (why) => reject(new Error(`${command} ${why}\n${this.log.join("\n")}`));
      const timer = setTimeout(() => fail("was not ready in time"), READY_WITHIN_MS);
      const read = (line) => {
        this.log = [...this.log.slice(-30), line];
        const found = ready.exec(line);
        if (found) {
          clearTimeout(timer);
          resolve(found[1]);
        }
      };
      for (const stream of [this.child.stdout, this.child.stderr]) {
        createInterface({ input: stream }).on("line", read);
      }
      this.child.once("error", (error) => fail(`cannot be started: ${error.message}`));
      this.child.once("exit", (code) => fail(`ended with ${code}`));
    });
  }
}
