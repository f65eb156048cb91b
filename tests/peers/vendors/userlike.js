// Userlike: events without an id; the bot speaks in the webhook's answer or by
// calls of the API URL. The last context is echoed in every event.

import { Vendor } from "./vendor.js";

export const HEADER = "API-SECURITY-TOKEN";
export const SECRET = "webhook-secret";
export const TOKEN = "security-token";

const cidOf = (conversation) => `chatbot::612:${String(conversation).padStart(32, "0")}`;

export class Userlike extends Vendor {
  contexts = new Map();
  numbers = new Map();

  webhook(conversation, text) {
    const cid = cidOf(conversation);
    const event = {
      info: {
        approach_mode: "normal",
        cid,
        contact: { id: 40_000 + conversation, name: "Ada", email: "" },
        context: this.contexts.get(cid) ?? {},
        conversation: {
          id: 990_000 + conversation,
          url: `https://app.example.invalid/conversations/${conversation}`,
          subject: "",
          topics: [],
          locale: "en",
          contact_channel: { state: "valid", type: "web" },
        },
        widget: { id: 5512, name: "Shop widget" },
      },
      packet: { name: "message", payload: { body: script(text) } },
    };
    return {
      path: "/webhooks/main",
      headers: { [HEADER]: SECRET },
      body: JSON.stringify(event),
    };
  }

  answered(body) {
    if (body) this.take(JSON.parse(body));
  }

  call(_path, body) {
    this.take(body);
    return {};
  }

  // The bot says a message's number and the count as two messages, which become
  // one line here, as the other bots say it.
  take(packets) {
    for (const { info, packet } of [packets].flat()) {
      if (Object.keys(info.context ?? {}).length > 0) this.contexts.set(info.cid, info.context);
      if (packet.name !== "message") continue;
      const conversation = Number(info.cid.split(":").at(-1));
      const text = packet.payload.body;
      const number = /^message (\d+)$/.exec(text)?.[1];
      const count = /^(\d+) \d+$/.exec(text)?.[1];
      if (number) this.numbers.set(conversation, number);
      else if (count) this.say(conversation, `${this.numbers.get(conversation)} ${count}`);
      else if (text !== "welcome") this.say(conversation, text);
    }
  }
}

// The bot of the tests does what the message says, see `plugins/puppet`. Its
// last line is no number where the bot shall fail.
function script(text) {
  const [number, fault] = text.split(" ");
  return `say message ${number}\nwork ${fault ? "nothing" : 10}\ncount`;
}
