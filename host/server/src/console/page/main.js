// The page begins here: who is signed in, and which view the address names.

import { Problem } from "./api.js";
import { bot } from "./bot.js";
import { bots } from "./bots.js";
import { channels } from "./channels.js";
import { conversation, conversations } from "./conversations.js";
import { letters } from "./letters.js";
import { Session } from "./session.js";
import { head, here, show, to } from "./shell.js";
import { signIn, tenants } from "./signin.js";
import { usage } from "./usage.js";

let session = null;

/** Which view an address has: the tenant, the section, and what is looked at in it. */
function view([tenant, section = "bots", ...rest], signal) {
  const page = { session, api: session.api, tenant, signal };
  if (!tenant) {
    return tenants(session, signal);
  }
  if (section === "bots" && rest.length > 0) {
    return bot(page, rest);
  }
  if (section === "conversations" && rest.length === 2) {
    return conversation(page, rest);
  }
  const views = { bots, channels, conversations, "dead-letters": letters, usage };
  if (rest.length === 0 && Object.hasOwn(views, section)) {
    return views[section](page);
  }
  throw new Problem({
    code: "no-such-view",
    title: "This page has no such view.",
    detail: `Nothing is at ${location.hash}.`,
  });
}

function open() {
  const segments = here();
  if (!session) {
    head(null);
    return show(() => signIn(enter));
  }
  const { me } = session;
  if (segments.length === 0 && me.tenant) {
    location.replace(me.bot ? to(me.tenant, "bots", me.bot) : to(me.tenant, "bots"));
    return undefined;
  }
  head(session, segments[0], segments[1] ?? "bots", () => leave());
  return show(async (signal) => view(segments, signal));
}

async function enter(token) {
  session = await Session.begin(token, leave);
  await open();
}

/** Signs out; `reason` is the problem where the host did it. */
function leave(reason) {
  session = null;
  Session.forget();
  head(null);
  show(() => signIn(enter, reason));
}

addEventListener("hashchange", open);

const kept = Session.kept();
if (kept) {
  show(async () => {
    try {
      await enter(kept);
    } catch (problem) {
      // A token that is refused is forgotten. That a host is away is not the token's fault.
      if (problem.status !== 401) {
        throw problem;
      }
      leave(problem);
    }
  });
} else {
  open();
}
