// The same bot with what "Overlapping Messages" advises: the strategy `queue`,
// here with room for the whole burst, a handler that goes through the skipped
// messages, too, and the state in PostgreSQL.

import { createPostgresState } from "@chat-adapter/state-pg";
import { createTelegramAdapter } from "@chat-adapter/telegram";
import { Chat } from "chat";
import { mayFail, reply, work } from "../behaviour.js";
import { serve } from "./serve.js";

const bot = new Chat({
  userName: "counter_bot",
  adapters: { telegram: createTelegramAdapter({ mode: "webhook" }) },
  state: createPostgresState(),
  concurrency: { strategy: "queue", maxQueueSize: 1000 },
  logger: "error",
});
bot.onDirectMessage(async (thread, message, _channel, context) => {
  for (const one of [...(context?.skipped ?? []), message]) {
    const state = await thread.state;
    await work();
    const count = (state?.count ?? 0) + 1;
    await thread.setState({ count });
    await thread.post(reply(one.text, count));
    mayFail(one.text);
  }
});

serve(bot);
