// The versions of a bot, and what each wants that the one that answers does not.

import { at } from "./api.js";
import { deployed } from "./deployment.js";
import { differences, wishes } from "./differences.js";
import { facts, folded, json, make } from "./dom.js";
import { bytes, counted, moment, short } from "./format.js";
import { pendingBox } from "./grants.js";
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
    pendingBox(page, digest, version.pending),
    version.unwished ? make("p", {}, `It imports what its manifest does not wish for, which denies: ${version.unwished.join(", ")}.`) : null,
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
