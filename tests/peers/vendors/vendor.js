// What the vendors have in common: an API on this machine that takes what the
// bot says, and webhooks that are sent again as they were, byte by byte.

import { createServer, request as httpRequest } from "node:http";

const ANSWER_WITHIN_MS = 60_000;

export class Vendor {
  constructor() {
    this.said = [];
    this.webhooks = new Map();
  }

  async open() {
    this.server = createServer(async (incoming, outgoing) => {
      const chunks = [];
      for await (const chunk of incoming) chunks.push(chunk);
      const text = Buffer.concat(chunks).toString();
      const answer = this.call(incoming.url, text ? JSON.parse(text) : {});
      outgoing.writeHead(200, { "content-type": "application/json" });
      outgoing.end(JSON.stringify(answer));
    });
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
  }

  close() {
    this.server.close();
    this.server.closeAllConnections();
  }

  // What a person of this conversation has seen, in the order of its arrival.
  seen(conversation) {
    return this.said.filter((one) => one.conversation === conversation).map((one) => one.text);
  }

  say(conversation, text) {
    this.said.push({ conversation, text });
  }

  // Delivers a message once; says whether the vendor holds it to be taken. With
  // `hangUpAfterMs` it leaves when there is no answer by then. `lose`: the
  // answer comes whole, and the vendor does not get to see it.
  async deliver(target, conversation, text, { hangUpAfterMs, lose } = {}) {
    const key = `${conversation} ${text}`;
    if (!this.webhooks.has(key)) this.webhooks.set(key, this.webhook(conversation, text));
    const webhook = this.webhooks.get(key);
    try {
      const { status, body } = await post(target + webhook.path, webhook, hangUpAfterMs);
      if (status < 200 || status > 299 || lose) return false;
      this.answered?.(body);
      return true;
    } catch {
      return false;
    }
  }
}

function post(url, { headers, body }, hangUpAfterMs = ANSWER_WITHIN_MS) {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, {
      method: "POST",
      agent: false,
      headers: {
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
        ...headers,
      },
    });
    let timer;
    request.on("finish", () => {
      timer = setTimeout(() => request.destroy(new Error("left")), hangUpAfterMs);
    });
    request.on("close", () => clearTimeout(timer));
    request.on("error", reject);
    request.on("response", (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        resolve({ status: response.statusCode, body: Buffer.concat(chunks).toString() });
      });
      response.on("close", () => reject(new Error("the answer broke off")));
    });
    request.end(body);
  });
}
