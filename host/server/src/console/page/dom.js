// Elements. Whatever people, bots and vendors wrote comes in as text and stays text.

/**
 * Makes an element. Children are elements or texts; `null` and `false` leave nothing.
 * `on` holds listeners by the names of their events.
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) {
        element.addEventListener(event, listener);
      }
    } else if (value === true) {
      element.setAttribute(name, "");
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, name === "href" ? ours(value) : value);
    }
  }
  element.append(...children.flat(9).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Links lead to this page or to the API: nobody can plant one that leads elsewhere. */
function ours(address) {
  if (!/^(#|\.\.\/v1\/)/.test(address)) {
    throw new Error(`${address} is not an address of this host`);
  }
  return address;
}

/** A button that is busy, and cannot be pressed again, until what it does is done. */
export function button(label, action, attributes = {}) {
  const element = make("button", { type: "button", ...attributes }, label);
  element.addEventListener("click", async () => {
    if (element.getAttribute("aria-disabled") === "true") {
      return;
    }
    element.setAttribute("aria-disabled", "true");
    try {
      await action(element);
    } finally {
      element.removeAttribute("aria-disabled");
    }
  });
  return element;
}

let fields = 0;

/** A control with its label, and a hint that is read with it. */
export function field(label, control, hint) {
  fields += 1;
  control.id ||= `field-${fields}`;
  const explains = hint && make("p", { class: "hint", id: `${control.id}-hint` }, hint);
  if (explains) {
    control.setAttribute("aria-describedby", explains.id);
  }
  return make("div", { class: "field" }, make("label", { for: control.id }, label), control, explains);
}

/** A form that is never sent anywhere by the browser itself. */
export function form(submit, ...children) {
  let busy = false;
  const listener = async (event) => {
    event.preventDefault();
    if (!busy) {
      busy = true;
      try {
        await submit(event);
      } finally {
        busy = false;
      }
    }
  };
  return make("form", { novalidate: true, on: { submit: listener } }, ...children);
}

/** A list of choices: values with what people read. */
export function select(choices, chosen, attributes = {}) {
  const options = choices.map(([value, text]) =>
    make("option", { value, selected: value === chosen }, text));
  return make("select", attributes, ...options);
}

/** What something is, as pairs of a word and its value. */
export function facts(pairs) {
  const shown = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return make("dl", {}, shown.map(([word, value]) =>
    make("div", {}, make("dt", {}, word), make("dd", {}, value))));
}

/** Something that opens. */
export function folded(summary, ...children) {
  return make("details", {}, make("summary", {}, summary), ...children);
}

/** A value as JSON. */
export function json(value) {
  return make("pre", {}, make("code", {}, JSON.stringify(value, null, 2)));
}

/** Says something to those who listen to the page instead of seeing it. */
export function say(text) {
  const status = document.getElementById("status");
  status.textContent = "";
  // A region that is given the same words twice is silent the second time.
  setTimeout(() => { status.textContent = text; }, 50);
}

/** Asks before something that cannot be taken back at once. Answers whether to go on. */
export function confirmed(question, explanation, label) {
  const dialog = make("dialog", { "aria-labelledby": "question" },
    make("h2", { id: "question" }, question),
    make("p", {}, explanation),
    make("div", { class: "row" },
      button(label, () => dialog.close("yes"), { class: "primary" }),
      button("Cancel", () => dialog.close(""))));
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}
