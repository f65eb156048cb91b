// As the Bot Framework's pages show a bot with conversation state.

import botbuilder from "botbuilder";
import express from "express";
import { announce, mayFail, reply, work } from "../behaviour.js";

const { ActivityHandler, CloudAdapter, ConfigurationBotFrameworkAuthentication } = botbuilder;
const { ConversationState, MemoryStorage } = botbuilder;

class Counter extends ActivityHandler {
  constructor(state) {
    super();
    this.state = state;
    const counter = state.createProperty("counter");
    this.onMessage(async (context, next) => {
      const session = await counter.get(context, { count: 0 });
      await work();
      session.count += 1;
      await context.sendActivity(reply(context.activity.text, session.count));
      mayFail(context.activity.text);
      await next();
    });
  }

  async run(context) {
    await super.run(context);
    await this.state.saveChanges(context, false);
  }
}

const adapter = new CloudAdapter(new ConfigurationBotFrameworkAuthentication({}));
const bot = new Counter(new ConversationState(new MemoryStorage()));

const app = express();
app.use(express.json());
app.post("/api/messages", (req, res) => adapter.process(req, res, (context) => bot.run(context)));
const server = app.listen(0, "127.0.0.1", announce(() => server));
