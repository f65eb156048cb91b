// The versions of a bot, and what each wants that the one that answers does not.

import { at } from "./api.js";
import { deployed } from "./deployment.js";
import { differences, ungranted, wishes } from "./differences.js";
import { button, confirmed, facts, folded, json, make } from "./dom.js";
import { bytes, counted, moment, short } from "./format.js";
import { shown } from "./problem.js";
import { to } from "./shell.js";
import { upload } from "./upload.js";

export async function versions(page) {
  const { api, tenant, bot, signal } = page;
  const list = make("div");
  async function load(fresh) {
    const [all, state] = await Promise.all([
      api.all(at`tenants/${tenant}/bots/${bot}/versions`, signal),
      deployed(page),
    ]);
    all.sort((one, other) => other.uploaded_ms - one.uploaded_ms);
    const current = all.find((one) => one.digest === state?.current);
    list.replaceChildren(
      make("p", {}, all.length === 0 ? "Nothing was uploaded yet." : `${counted(all.length, "version")}, the newest first.`),
      make("ul", { class: "cards" }, all.map((one) =>
        make("li", { class: "card" }, card(page, one, current, state, one.digest === fresh)))));
  }
  await load();
  return [upload(page, load), make("h2", {}, "Uploaded versions"), list];
}

function card(page, version, current, state, open) {
  const { tenant, bot, session } = page;
  const { digest, manifest } = version;
  const title = manifest?.version ? ` (${manifest.name ?? bot} ${manifest.version})` : "";
  const changes = current && current !== version
    ? unfolding("What changes against the version that answers", async () => {
      const [before, after] = await Promise.all([current, version].map((one) => whole(page, one)));
      return showDifferences(differences(before, after));
    })
    : null;
  if (changes) {
    changes.open = open;
  }
  return [
    make("h3", {}, make("code", {}, short(digest)), title, standing(digest, state)),
    facts([
      ["Digest", make("code", {}, digest)],
      ["Size", `${bytes(version.bytes)}, ${version.tier}`],
      ["Uploaded", `${moment(version.uploaded_ms)} by ${version.uploaded_by}`],
      ["Built with", [manifest?.sdk, manifest?.wit && `contract ${manifest.wit}`].filter(Boolean).join(", ")],
      ["Wishes to call", wishes(version).join(", ") || "no hosts"],
    ]),
    pending(page, version),
    changes,
    version.imports.length === 0 ? make("p", {}, "It imports nothing.") : folded(
      counted(version.imports.length, "import"),
      make("ul", { class: "names" }, version.imports.map((one) => make("li", {}, make("code", {}, one))))),
    manifest ? unfolding("Manifest", async () => json((await whole(page, version)).manifest)) : make("p", {}, "It carries no manifest."),
    session.may("deploy") ? make("p", { class: "row" },
      make("a", { href: to(tenant, "bots", bot, "try", digest) }, `Try ${short(digest)}`),
      make("a", { href: to(tenant, "bots", bot, "deployment", digest) }, `Deploy ${short(digest)}`)) : null,
  ];
}

/** A version with the configuration of its manifest, which lists leave out. */
function whole({ api, tenant, bot, signal }, { digest }) {
  return api.get(at`tenants/${tenant}/bots/${bot}/versions/${digest}`, {}, signal);
}

/** Something folded that is asked for when it is opened for the first time. */
function unfolding(summary, content) {
  const place = make("div");
  const details = folded(summary, place);
  details.addEventListener("toggle", () => shown(place, async () => {
    place.replaceChildren(...[await content()].flat());
  }), { once: true });
  return details;
}

/** Where a version stands in the deployment. */
function standing(digest, state) {
  const marks = [
    state?.current === digest && "answers",
    state?.canary?.version === digest && `canary, ${state.canary.percent} %`,
    state?.previous === digest && "answered before",
    state?.withdrawn.includes(digest) && "withdrawn",
  ].filter(Boolean);
  return marks.map((mark) => [" ", make("span", { class: "mark" }, mark)]);
}

/** Wishes that the bot's settings do not grant: somebody has to. */
function pending(page, version) {
  const wished = ungranted(version, page.about.settings?.hosts ?? []);
  if (wished.length === 0) {
    return null;
  }
  const outcome = make("div", { tabindex: "-1" });
  const names = wished.join(", ");
  const grant = button(`Let it call ${names}`, () => shown(outcome, async () => {
    const explanation = `Every version of ${page.bot} may call ${names} from then on.`;
    if (await confirmed(`Let ${page.bot} call ${names}?`, explanation, "Let it")) {
      await allow(page, wished);
      grant.remove();
      outcome.replaceChildren(make("p", { class: "done" }, `It may call ${names} now.`));
      outcome.focus();
    }
  }));
  return make("div", { class: "note" },
    make("p", {}, make("strong", {}, "Not granted: "),
      `it wishes to call ${names}, and the settings of the bot name no such host. Until they do, these calls are refused.`),
    page.session.may("admin") ? grant : make("p", {}, "An administrator of the tenant can grant it."),
    outcome);
}

/** Adds hosts to what the settings of the bot name by now. */
async function allow({ api, tenant, bot, signal }, wished) {
  const path = at`tenants/${tenant}/bots/${bot}`;
  const { settings } = await api.get(path, {}, signal);
  const hosts = [...new Set([...(settings?.hosts ?? []), ...wished])];
  // Whoever sets something else meanwhile is not overwritten: then this is refused.
  await api.put(path, { settings: { ...settings, hosts }, seen: settings }, signal);
}

/** Differences as lists with words, so that they do not hang on colours. */
export function showDifferences({ imports, hosts, others }) {
  const lines = [
    ...imports.added.map((one) => change("added", "import", one)),
    ...imports.removed.map((one) => change("removed", "import", one)),
    ...hosts.added.map((one) => change("added", "host", one)),
    ...hosts.removed.map((one) => change("removed", "host", one)),
    ...others.map(({ what, before, after }) =>
      make("li", {}, `${what}: `, make("code", {}, before), " becomes ", make("code", {}, after))),
  ];
  return lines.length === 0
    ? make("p", {}, "It wants exactly the same: no import and no host is added or taken away.")
    : make("ul", { class: "changes" }, lines);
}

function change(how, what, name) {
  const sign = how === "added" ? "+" : "−";
  return make("li", { class: how }, `${sign} ${what} ${how}: `, make("code", {}, name));
}
