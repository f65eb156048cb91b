// The same bot in the manner of "Implement custom storage for your bot" and of
// its sample 42.scaleout: load with a tag, run, save over that tag or run again,
// send only after the save; and an adapter that says sorry for a failed turn.

import botbuilder from "botbuilder";
import express from "express";
import { announce, mayFail, reply, work } from "../behaviour.js";
import { FileStore } from "./store.js";

const { ActivityHandler, CloudAdapter, ConfigurationBotFrameworkAuthentication } = botbuilder;

async function turn(activity, state) {
  const session = state ?? { count: 0 };
  await work();
  session.count += 1;
  const replies = [reply(activity.text, session.count)];
  mayFail(activity.text);
  return { replies, session };
}

class Counter extends ActivityHandler {
  constructor(store) {
    super();
    this.onMessage(async (context, next) => {
      const { activity } = context;
      const key = `${activity.channelId}/conversations/${activity.conversation.id}`;
      for (;;) {
        const { state, etag } = await store.load(key);
        const { replies, session } = await turn(activity, state);
        if (await store.save(key, session, etag)) {
          await context.sendActivities(replies.map((text) => ({ type: "message", text })));
          break;
        }
      }
      await next();
    });
  }
}

const adapter = new CloudAdapter(new ConfigurationBotFrameworkAuthentication({}));
adapter.onTurnError = async (context, error) => {
  console.error(error.message);
  await context.sendActivity("Sorry, it looks like something went wrong.");
};
const bot = new Counter(new FileStore(process.env.DATA));

const app = express();
app.use(express.json());
app.post("/api/messages", (req, res) => adapter.process(req, res, (context) => bot.run(context)));
const server = app.listen(0, "127.0.0.1", announce(() => server));
