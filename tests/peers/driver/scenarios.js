// The scenarios. Each plays one or more persons, and judges by nothing but what
// the vendor saw: which webhooks were answered with a 2xx, and what was said.

import { setTimeout as sleep } from "node:timers/promises";

const ATTEMPTS = 5;
const RETRY_MS = 50;
const QUIET_MS = 1000;
const QUIET_WITHIN_MS = 30_000;
const COUNT_WITHIN_MS = 60_000;
const HANG_UP_MS = 5;
const REPLY_MS = 300;
const PAUSE_MS = 30;
const SPEAKS_WITHIN_MS = 2000;
const PROBE_MS = 3000;

const numbers = (from, to) => Array.from({ length: to - from + 1 }, (_, index) => from + index);

// All messages at once: every webhook is under way before one is answered.
export async function burst(site, { messages }) {
  await Promise.all(numbers(1, messages).map((n) => persist(site, 1, `${n}`)));
  return counted(site, messages);
}

// One after the other, the next when the one before was answered.
export async function sequence(site, { messages }) {
  for (const n of numbers(1, messages)) await persist(site, 1, `${n}`);
  return counted(site, messages);
}

// Three deliveries of each message: the vendor hung up on the first two.
export async function hungUp(site, { updates }) {
  return redelivered(site, updates, { hangUpAfterMs: HANG_UP_MS });
}

// Three deliveries of each message: the answers of the first two got lost when
// they were on their way.
export async function answerLost(site, { updates }) {
  return redelivered(site, updates, { lose: true });
}

async function redelivered(site, updates, how) {
  let deliveries = 0;
  for (const n of numbers(1, updates)) {
    for (const attempt of [1, 2, 3]) {
      deliveries += 1;
      const taken = await site.vendor.deliver(site.url, 1, `${n}`, attempt < 3 ? how : {});
      await sleep(PAUSE_MS);
      if (taken) break;
      // What the bot does with it is over before it comes again.
      await sleep(4 * PAUSE_MS);
    }
    await replied(site, 1, `${n}`);
  }
  const { counter, replies, unanswered } = await counted(site, updates);
  return { deliveries, counter, replies, unanswered };
}

// The bot fails at every 20th message, the first time or always.
export const faultOnce = (site, options) => fault(site, options, "once");
export const faultAlways = (site, options) => fault(site, options, "always");

async function fault(site, { messages }, kind) {
  for (const n of numbers(1, messages)) {
    await persist(site, 1, n % 20 === 0 ? `${n} ${kind}` : `${n}`);
    await replied(site, 1, `${n}`);
  }
  return counted(site, messages);
}

// Persons write to a bot that is killed again and again. Each writes the next
// message when the one before was taken and replied to, or got no reply for a
// while; a message that got no 2xx is delivered again until it does.
export async function crash(site, { kills, random }) {
  const persons = numbers(1, 8);
  const sent = new Map();
  let writing = true;
  const person = async (conversation) => {
    for (let n = 1; writing; n += 1) {
      await persist(site, conversation, `${n}`, Infinity);
      sent.set(conversation, n);
      await replied(site, conversation, `${n}`);
    }
  };
  const all = Promise.all(persons.map(person));
  for (let kill = 0; kill < kills; kill += 1) {
    await speaks(site);
    await sleep(300 + 1000 * random());
    await site.crash();
  }
  writing = false;
  await all;
  const total = { kills, messages: 0, counter: 0, doubled: 0, unanswered: 0, wrong: 0 };
  for (const result of await Promise.all(persons.map((c) => counted(site, sent.get(c), c)))) {
    total.messages += result.messages;
    total.counter += result.counter;
    total.doubled += result.doubled;
    total.unanswered += result.unanswered;
    total.wrong += Number(result.counter !== result.messages);
  }
  return total;
}

// Delivers until it is taken, as vendors do, or until the vendor gives up.
async function persist(site, conversation, text, attempts = ATTEMPTS) {
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    if (await site.vendor.deliver(site.url, conversation, text)) return true;
    await sleep(RETRY_MS);
  }
  return false;
}

// Waits until the bot has said all it will, asks it for its count by one message
// more, and looks at what a person saw after having written `messages` messages.
// Where the message brings up others that had been left lying, it asks again.
async function counted(site, messages, conversation = 1) {
  let number = messages;
  let count = NaN;
  const deadline = Date.now() + COUNT_WITHIN_MS;
  await quiet(site);
  for (let alone = false; !alone && Date.now() < deadline; ) {
    const before = site.vendor.seen(conversation).length;
    number += 1;
    await persist(site, conversation, `${number}`);
    const line = await replied(site, conversation, `${number}`, PROBE_MS);
    await quiet(site);
    count = line ? Number(line.split(" ")[1]) : NaN;
    alone = line !== undefined && site.vendor.seen(conversation).length === before + 1;
  }
  const said = site.vendor.seen(conversation);
  const lines = said.map((text) => /^(\d+) (\d+)$/.exec(text)).filter(Boolean);
  const replies = lines.filter(([, found]) => Number(found) <= messages);
  const probes = new Set(lines.map(([, found]) => Number(found)).filter((n) => n > messages));
  const distinct = new Set(replies.map(([, found]) => found)).size;
  const counts = replies.map(([, , found]) => Number(found));
  return {
    messages,
    counter: count - probes.size,
    replies: replies.length,
    doubled: replies.length - distinct,
    unanswered: messages - distinct,
    apologies: said.length - lines.length,
    ordered: counts.every((found, index) => index === 0 || found > counts[index - 1]),
  };
}

// The reply to a message, and a moment for the bot to end its turn after it;
// nothing if there is none in time.
async function replied(site, conversation, number, within = REPLY_MS) {
  const deadline = Date.now() + within;
  while (Date.now() < deadline) {
    const line = site.vendor.seen(conversation).find((text) => text.startsWith(`${number} `));
    await sleep(PAUSE_MS);
    if (line) return line;
  }
  return undefined;
}

// The bot has started and says something, or has had the time to.
async function speaks(site) {
  const before = site.vendor.said.length;
  const deadline = Date.now() + SPEAKS_WITHIN_MS;
  while (site.vendor.said.length === before && Date.now() < deadline) await sleep(5);
}

async function quiet(site) {
  const deadline = Date.now() + QUIET_WITHIN_MS;
  let length = -1;
  while (length !== site.vendor.said.length && Date.now() < deadline) {
    length = site.vendor.said.length;
    await sleep(QUIET_MS);
  }
}
