// Problems, shown whole: what happened, what to do, and the code to ask others about.

import { facts, make } from "./dom.js";

/** What to do here, by code. The detail of the host comes first and is often enough. */
const ADVICE = {
  "unauthorized": "Look whether the whole token was pasted, and sign in again. Whoever gave it to you can give you another one.",
  "token-expired": "Ask whoever gave you the token for another one, and sign in with that.",
  "forbidden": "Ask whoever gave you the token for one with a larger scope.",
  "paused-by-operator": "Ask the operator of the host: they alone let it go on.",
  "texts-hidden": "Ask whoever gave you the token for one that shows texts.",
  "not-found": "Look at the name. It may have been taken away, or your token does not reach it.",
  "bad-request": "Correct what the sentence names, and send it again.",
  "bad-name": "Choose a name of 1 to 63 characters: a-z, 0-9 and -, which is not the first.",
  "bad-settings": "Correct the key that the sentence names.",
  "cannot-run": "Mend what the sentence says is in the way, and try again.",
  "component-refused": "Change what the sentence says, build the component again and upload that. What answers now stays as it is.",
  "already-exists": "Choose another name, or change what is there.",
  "managed-by-settings": "Ask the operator of the host: it is changed in the host's settings file.",
  "in-use": "Mend what the sentence names, and try again.",
  "deployment-refused": "Look at the deployment: the sentence says what has to be done first.",
  "grant-pending": "Ask an administrator of the tenant to let the bot have what it wishes for. The old version answers until then.",
  "stale": "Look at what is shown now, and do it again if it is still right. Nothing was changed.",
  "idempotency-key-reused": "Load the page again, and do it once more.",
  "audit-differs": "Tell the operator of the host at once: the audit lacks a row that was there before.",
  "answer-not-kept": "It was done. Load the page again to see what came of it.",
  "too-slow": "Send it again over a better line.",
  "too-large": "Make it smaller. The limits of this host are in the API under /v1/limits.",
  "too-many": "Ask for less at a time: the sentence names the limit.",
  "over-limit": "Wait, and try again.",
  "host-fault": "Try again later. If it stays, tell the operator of the host: the reason is in the host's log.",
  "unavailable": "Wait a little, and send the same again.",
  "no-token": "Paste the token into the field and sign in.",
  "no-file": "Choose the .wasm file that your build wrote.",
  "no-json": "Correct the text of the event, and send it again.",
  "no-such-view": "Choose a section at the top of the page.",
  "no-answer": "Look whether you are online and the host is up, and try again. If it happened in an upload, the file may be larger than this host takes.",
  "no-problem-detail": "Tell the operator of the host: a proxy in front of it answers in its place.",
};

/** A problem as a box that is read out at once. */
export function problemBox(problem, ...more) {
  const code = problem.code ?? "fault-of-the-page";
  const known = Object.hasOwn(ADVICE, code);
  const advice = known ? ADVICE[code] : "Load the page again. If it stays, tell the operator of the host.";
  const wait = problem.retryAfter ? `${problem.retryAfter} seconds` : null;
  const catalogue = problem.status
    ? make("a", { href: `../v1/errors/${encodeURIComponent(code)}` }, make("code", {}, code))
    : make("code", {}, code);
  return make("div", { role: "alert", class: "problem" },
    make("p", { class: "title" }, problem.title ?? "This page failed."),
    make("p", { class: "detail" }, problem.detail ?? problem.message),
    make("p", { class: "advice" }, make("strong", {}, "What to do: "), advice),
    facts([["Code", catalogue], ["Status", problem.status && String(problem.status)], ["Come back in", wait]]),
    more);
}

/** Whether something merely ended because the reader went on. */
export function isLeft(problem) {
  return problem.name === "AbortError";
}

/** Does something, and shows the problem in `place` where there is one. */
export async function shown(place, action, ...more) {
  place.replaceChildren();
  try {
    return await action();
  } catch (problem) {
    if (!isLeft(problem)) {
      place.replaceChildren(problemBox(problem, more));
    }
    return undefined;
  }
}
