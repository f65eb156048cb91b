// The Bot Framework's connector: activities with an id, and a service URL for
// what the bot says.

import { Vendor } from "./vendor.js";

export class BotFramework extends Vendor {
  activities = 0;

  webhook(conversation, text) {
    this.activities += 1;
    const activity = {
      type: "message",
      id: `activity-${this.activities}`,
      timestamp: "2024-01-01T00:00:00.000Z",
      channelId: "emulator",
      serviceUrl: this.url,
      from: { id: `person-${conversation}`, name: "Ada", role: "user" },
      recipient: { id: "counter", name: "Counter", role: "bot" },
      conversation: { id: String(conversation) },
      locale: "en-US",
      text,
    };
    return { path: "/api/messages", headers: {}, body: JSON.stringify(activity) };
  }

  call(path, body) {
    const conversation = /\/v3\/conversations\/([^/]+)\/activities/.exec(path)?.[1];
    if (conversation && body.type === "message") this.say(Number(conversation), body.text);
    return { id: `sent-${this.said.length}` };
  }
}
