// As grammY's pages show a bot with sessions on webhooks.

import express from "express";
import { Bot, session, webhookCallback } from "grammy";
import { announce, mayFail, reply, work } from "../behaviour.js";

const bot = new Bot("1:token", { client: { apiRoot: process.env.VENDOR_URL } });
bot.use(session({ initial: () => ({ count: 0 }) }));
bot.on("message:text", async (ctx) => {
  await work();
  ctx.session.count += 1;
  await ctx.reply(reply(ctx.message.text, ctx.session.count));
  mayFail(ctx.message.text);
});

const app = express();
app.use(express.json());
app.use(webhookCallback(bot, "express"));
const server = app.listen(0, "127.0.0.1", announce(() => server));
