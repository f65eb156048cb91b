// What the bot does on every framework: it counts a conversation's messages in
// its session, asks something that takes a while, and says the message's number
// and the count. A message is its number, with a fault behind it where the bot
// shall fail after it has replied: `20 once` (only the first time that this
// process sees it) or `20 always`.

import { setTimeout as sleep } from "node:timers/promises";

const WORK_MS = 30;
const failed = new Set();

export const work = () => sleep(WORK_MS);

export const reply = (text, count) => `${text.split(" ")[0]} ${count}`;

export function mayFail(text) {
  const fault = text.split(" ")[1];
  if (fault === "always" || (fault === "once" && !failed.has(text))) {
    failed.add(text);
    throw new Error(`the bot fails at message ${text}`);
  }
}

// Says where the bot listens, in the words that the driver waits for.
export const announce = (server) => () => {
  console.log(`listening on http://127.0.0.1:${server().address().port}`);
};
