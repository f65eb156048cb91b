// Actions of a bot as a person would see them, and the rest in words.

import { button, make } from "./dom.js";

const TEXTS = ["message", "bubbles", "carousel", "button_template", "list_template", "buttons", "rich_link", "media", "secure_form"];

/**
 * An action as an element. `choose` is called with the chosen options, as `{ id, label }`;
 * without it they are only shown.
 */
export function actionShown({ name, payload }, choose) {
  const content = payload ?? {};
  if (!TEXTS.includes(name) || typeof content !== "object") {
    return make("p", { class: "action" }, make("span", { class: "mark" }, words(name)), " ", rest(payload));
  }
  const parts = [
    header(content.header),
    paragraph(content.text ?? content.caption, "said"),
    content.title && paragraph(content.title),
    content.link && paragraph(content.link, "address"),
    (content.links ?? []).map((link) => paragraph(`${link.label}: ${link.link}`, "address")),
    content.form && paragraph(`Form: ${content.form}`),
    choices(options(name, content), Boolean(content.multiple), choose),
    paragraph(content.footer, "hint"),
  ];
  return make("div", { class: "bubble" }, parts);
}

/** What a person may choose from. */
export function options(name, content) {
  const lists = {
    bubbles: content.options,
    carousel: content.cards,
    button_template: content.buttons,
    list_template: content.sections?.flatMap((section) => section.rows),
  };
  return lists[name] ?? [];
}

function choices(all, several, choose) {
  if (all.length === 0) {
    return null;
  }
  const text = (option) => (option.description ? `${option.label} (${option.description})` : option.label);
  if (!choose) {
    return make("ul", { class: "names" }, all.map((option) => make("li", {}, text(option))));
  }
  if (!several) {
    return make("div", { class: "row" }, all.map((option) => button(text(option), () => choose([option]))));
  }
  const boxes = all.map((option) => make("input", { type: "checkbox", value: option.id }));
  return make("fieldset", {},
    make("legend", {}, "Choose one or more"),
    all.map((option, index) => make("label", { class: "check" }, boxes[index], text(option))),
    button("Send the choice", () => {
      const chosen = all.filter((_, index) => boxes[index].checked);
      return chosen.length > 0 ? choose(chosen) : undefined;
    }));
}

function header(value) {
  return value ? paragraph(typeof value === "string" ? value : String(value.payload), "title") : null;
}

function paragraph(text, kind) {
  return text ? make("p", { class: kind }, text) : null;
}

function rest(payload) {
  if (payload === undefined || payload === null) {
    return null;
  }
  return make("code", {}, typeof payload === "object" ? JSON.stringify(payload) : String(payload));
}

function words(name) {
  return String(name).replaceAll("_", " ");
}
