// As Chat SDK's pages show a bot for direct messages, with the state that its
// scaffold for Telegram sets up.

import { createMemoryState } from "@chat-adapter/state-memory";
import { createTelegramAdapter } from "@chat-adapter/telegram";
import { Chat } from "chat";
import { mayFail, reply, work } from "../behaviour.js";
import { serve } from "./serve.js";

const bot = new Chat({
  userName: "counter_bot",
  adapters: { telegram: createTelegramAdapter({ mode: "webhook" }) },
  state: createMemoryState(),
  logger: "error",
});
bot.onDirectMessage(async (thread, message) => {
  const state = await thread.state;
  await work();
  const count = (state?.count ?? 0) + 1;
  await thread.setState({ count });
  await thread.post(reply(message.text, count));
  mayFail(message.text);
});

serve(bot);
