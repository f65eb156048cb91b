// What surrounds the views: the head of the page, and how one view follows another.

import { button, make, say } from "./dom.js";
import { isLeft, problemBox } from "./problem.js";

const main = document.getElementById("main");
const navigation = document.getElementById("navigation");
const who = document.getElementById("who");
let leaving = new AbortController();

/** An address within the page. */
export function to(...segments) {
  return `#/${segments.map(encodeURIComponent).join("/")}`;
}

/** The segments of the address that the reader is at. */
export function here() {
  const path = location.hash.split("?")[0].replace(/^#\/?/, "");
  return path === "" ? [] : path.split("/").map(decoded);
}

/** What cannot be decoded was written by hand, and names nothing: it is shown as it is. */
function decoded(segment) {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/**
 * Shows a view: `build` answers `{ title, content }`, or a problem is shown instead. What a
 * view still waits for is given up when the next one comes.
 */
export async function show(build) {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  main.setAttribute("aria-busy", "true");
  let view;
  try {
    view = await build(signal);
  } catch (problem) {
    if (isLeft(problem)) {
      return;
    }
    const again = button("Try again", () => show(build));
    view = { title: "That did not work", content: [problemBox(problem, again)] };
  }
  if (signal.aborted) {
    return;
  }
  main.removeAttribute("aria-busy");
  const heading = make("h1", { tabindex: "-1" }, view.title);
  main.replaceChildren(...[view.before, heading, view.content].flat(9).filter(Boolean));
  document.title = `${view.title} – Botyard`;
  // Who hears the page instead of seeing it learns that another view is there.
  heading.focus({ preventScroll: true });
  scrollTo(0, 0);
}

/** The head of the page: the sections of a tenant, and who is signed in. */
export function head(session, tenant, section, signOut) {
  navigation.replaceChildren();
  who.replaceChildren();
  navigation.hidden = !session || !tenant;
  if (!session) {
    return;
  }
  if (tenant) {
    const sections = session.me.bot
      ? [["Bots", "bots"]]
      : [["Bots", "bots"], ["Channels", "channels"], ["Conversations", "conversations"], ["Dead letters", "dead-letters"], ["Usage", "usage"]];
    navigation.append(...sections.map(([text, name]) => link(text, to(tenant, name), name === section)));
  }
  const other = session.me.tenant ? null : make("a", { href: "#/" }, "Other tenant");
  who.append(...[
    make("span", {}, tenant ? `${tenant}, ` : "", `scope ${session.me.scope}`),
    other,
    button("Sign out", signOut),
  ].filter(Boolean));
}

/** A link of a row of which one is where the reader is. */
export function link(text, href, current) {
  return make("a", { href, "aria-current": current ? "page" : null }, text);
}

// A link that leads to where one is already would change nothing: it moves the focus.
document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
  say("Content");
});
