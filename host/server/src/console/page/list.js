// Lists that come in pages.

import { button, make, say } from "./dom.js";
import { counted } from "./format.js";
import { shown } from "./problem.js";

/**
 * A list that grows by pages. `fetch` gets the `after` of the page before and answers a
 * page; `show` makes the element of an item; `noun` names one of them.
 */
export function paged({ fetch, show, noun, empty }) {
  const list = make("ul", { class: "cards" });
  const nothing = make("p", { hidden: true }, empty);
  const problems = make("div");
  let after;
  const more = button("Show more", load);
  more.hidden = true;

  async function load() {
    await shown(problems, async () => {
      const page = await fetch(after);
      after = page.after;
      const first = list.children.length;
      list.append(...page.items.map((item) => make("li", { class: "card" }, show(item))));
      nothing.hidden = list.children.length > 0;
      more.hidden = !after;
      say(counted(list.children.length, noun));
      if (first > 0) {
        // The button may be gone: who reads on begins at what is new.
        list.children[first]?.querySelector("a, button, summary")?.focus();
      }
    });
  }

  return { element: make("div", {}, list, nothing, problems, more), load };
}
