// A real host with one tenant, whose vendor refuses every call.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

const READY_WITHIN_MS = 120_000;
const TOKEN_SHOWN = "the operator's token, shown only now: ";
const WEBHOOK_SECRET = "console-webhook-secret";

/** A host without tenants; it shows the operator's token once. */
export class Host {
  static async start() {
    const program = process.env.BOTYARD_BIN;
    if (!program) {
      throw new Error("BOTYARD_BIN names no host: run `cargo xtask console`");
    }
    const directory = await mkdtemp(join(tmpdir(), "botyard-console-"));
    const file = join(directory, "botyard.toml");
    await writeFile(file, [
      "[server]", 'listen = "127.0.0.1:0"',
      "[store]", `directory = ${JSON.stringify(directory)}`,
      // However full this machine's disk is, it is not what the page is tested for.
      "disk.counted-bytes = 268435456",
      "[egress]", "allow-loopback = true", "",
    ].join("\n"));
    const child = spawn(program, ["serve", "--config", file], { stdio: ["ignore", "pipe", "pipe"] });
    const host = new Host(child, directory);
    try {
      await host.#ready();
    } catch (error) {
      await host.stop();
      throw error;
    }
    return host;
  }

  constructor(child, directory) {
    Object.assign(this, { child, directory, log: "", said: "" });
    child.stdout.setEncoding("utf8").on("data", (text) => { this.said += text; });
    child.stderr.setEncoding("utf8").on("data", (text) => { this.log += text; });
  }

  async #ready() {
    const end = Date.now() + READY_WITHIN_MS;
    while (Date.now() < end && this.child.exitCode === null) {
      this.url = /listening on.*?(http:\/\/[\d.:]+)/.exec(this.log)?.[1];
      if (this.url && await fetch(`${this.url}/readyz`).then((answer) => answer.ok, () => false)) {
        [, this.token] = /^(\S+)/.exec(this.said.split(TOKEN_SHOWN)[1] ?? "") ?? [];
        if (this.token) {
          return;
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`the host was not ready:\n${this.log}`);
  }

  /** Asks the management API, as the operator or whoever shows another token. */
  async ask(method, path, body, token = this.token) {
    const wasm = body instanceof Uint8Array;
    const answer = await fetch(`${this.url}/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": wasm ? "application/wasm" : "application/json" },
      body: wasm ? body : body && JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) {
      throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    }
    return text === "" ? null : JSON.parse(text);
  }

  /** A tenant with a bot in a channel, and a token of this scope for it. */
  async tenant(name, vendor, scope = "admin") {
    const own = `/tenants/${name}`;
    await this.ask("POST", "/tenants", { name });
    await this.ask("PUT", `${own}/secrets/webhook`, { value: WEBHOOK_SECRET });
    await this.ask("PUT", `${own}/secrets/api`, { value: "console-api-token" });
    await this.ask("PUT", `${own}/bots/bot`, {});
    await this.ask("PUT", `${own}/channels/${name}-web`, { settings: {
      "vendor": "userlike",
      "bot": "bot",
      "webhook-header": "API-SECURITY-TOKEN",
      "webhook-secret": { secret: "webhook" },
      "api-url": vendor.url,
      "api-token": { secret: "api" },
      "inline": false,
    } });
    return this.access(name, { scope, texts: "full" });
  }

  /** Another token of a tenant's. */
  async access(tenant, wish) {
    return (await this.ask("POST", `/tenants/${tenant}/tokens`, wish)).token;
  }

  /** A person writes in the tenant's channel, as Userlike tells it. */
  async write(tenant, cid, text) {
    const webhook = (name, payload) => fetch(`${this.url}/webhooks/${tenant}-web`, {
      method: "POST",
      headers: { "API-SECURITY-TOKEN": WEBHOOK_SECRET, "content-type": "application/json" },
      body: JSON.stringify({
        info: {
          approach_mode: "normal", cid, contact: {}, context: {},
          conversation: { id: 1, url: "https://app.example.invalid/1", subject: "", topics: [], locale: "en",
            contact_channel: { state: "valid", type: "web" } },
          widget: { id: 1, name: "Shop" },
        },
        packet: { name, payload },
      }),
    });
    for (const answer of [await webhook("start", {}), await webhook("message", { body: text })]) {
      if (!answer.ok) {
        throw new Error(`the webhook was refused: ${answer.status} ${await answer.text()}`);
      }
    }
  }

  async stop() {
    if (this.child.exitCode === null) {
      this.child.kill("SIGTERM");
      await once(this.child, "exit");
    }
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** A component with another manifest: the last one in it counts. */
export function withManifest(wasm, manifest) {
  const number = (value) => (value < 128 ? [value] : [(value & 127) | 128, ...number(value >> 7)]);
  const text = (value) => [...number(Buffer.byteLength(value)), ...Buffer.from(value)];
  const content = [...text("botyard:manifest"), ...Buffer.from(JSON.stringify(manifest))];
  return Buffer.concat([wasm, Buffer.from([0, ...number(content.length), ...content])]);
}

/** A vendor that takes no call: what is sent there becomes a dead letter. */
export class RefusingVendor {
  static async start() {
    const server = createServer((request, response) => {
      request.resume();
      response.writeHead(400, { "content-type": "application/json" }).end('{"error":"no"}');
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const vendor = new RefusingVendor();
    Object.assign(vendor, { server, url: `http://127.0.0.1:${server.address().port}/api` });
    return vendor;
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}
