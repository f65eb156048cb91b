// Telegram: updates with an id, `sendMessage` for what the bot says.

import { Vendor } from "./vendor.js";

export const SECRET = "webhook-secret";

export class Telegram extends Vendor {
  updates = 0;

  webhook(conversation, text) {
    this.updates += 1;
    const person = { id: 1000 + conversation, is_bot: false, first_name: "Ada" };
    const update = {
      update_id: 700_000 + this.updates,
      message: {
        message_id: this.updates,
        date: 1_700_000_000,
        chat: { id: person.id, type: "private", first_name: "Ada" },
        from: person,
        text,
      },
    };
    return {
      path: "/",
      headers: { "x-telegram-bot-api-secret-token": SECRET },
      body: JSON.stringify(update),
    };
  }

  call(path, body) {
    switch (path.split("/").at(-1)) {
      case "getMe":
        return ok({ id: 1, is_bot: true, first_name: "Counter", username: "counter_bot" });
      case "sendMessage": {
        const chat = Number(body.chat_id);
        this.say(chat - 1000, body.text);
        return ok({
          message_id: 1_000_000 + this.said.length,
          date: 1_700_000_000,
          chat: { id: chat, type: "private" },
          text: body.text,
        });
      }
      default:
        return ok(true);
    }
  }
}

const ok = (result) => ({ ok: true, result });
