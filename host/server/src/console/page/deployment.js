// Which version of a bot answers, and every change of that. A change carries the revision
// that the reader has seen, so that nobody undoes what they do not know of.

import { at } from "./api.js";
import { button, confirmed, facts, field, form, make, say, select } from "./dom.js";
import { moment, short } from "./format.js";
import { waiting } from "./grants.js";
import { isLeft, problemBox } from "./problem.js";

/** Which version answers, or nothing where none was deployed yet. */
export async function deployed({ api, tenant, bot, signal }) {
  try {
    return await api.get(at`tenants/${tenant}/bots/${bot}/deployment`, {}, signal);
  } catch (problem) {
    if (problem.code === "not-found") {
      return null;
    }
    throw problem;
  }
}

export async function deployment(page) {
  const { api, tenant, bot, signal, chosen } = page;
  const state = make("div");
  // The controls are drawn anew with each change: the focus goes to what is said of it.
  const notice = make("div", { tabindex: "-1" });
  const all = await api.all(at`tenants/${tenant}/bots/${bot}/versions`, signal);
  all.sort((one, other) => other.uploaded_ms - one.uploaded_ms);

  async function load() {
    await draw(await deployed(page));
  }

  async function draw(now) {
    const held = await waiting(page, granted);
    state.replaceChildren(...standing(now), ...(held ? [held] : []), ...controls(page, { now, all, chosen, change }));
  }

  /** Shows what has become of it when a grant was given or refused. */
  async function granted(said) {
    await load();
    notice.replaceChildren(make("p", { class: "done" }, said));
    notice.focus();
  }

  /** Changes it, if it is still what `now` says, and shows what has become of it. */
  async function change(now, step, done) {
    notice.replaceChildren();
    try {
      const path = at`tenants/${tenant}/bots/${bot}/deployment`;
      await draw(await api.post(path, { ...step, revision: now?.revision }, signal));
      notice.replaceChildren(make("p", { class: "done" }, done));
      notice.focus();
      say(done);
    } catch (problem) {
      if (isLeft(problem)) {
        return;
      }
      notice.replaceChildren(problemBox(problem));
      if (problem.code === "stale" || problem.code === "grant-pending") {
        await load();
      }
      notice.focus();
    }
  }

  await load();
  return [notice, state];
}

function standing(now) {
  if (!now) {
    return [make("p", {}, "No version was deployed yet: what people write waits for the first one.")];
  }
  const { current, previous, canary, withdrawn } = now;
  const code = (digest) => make("code", { title: digest }, short(digest));
  return [facts([
    ["Answers", [code(current), ` since ${moment(now.deployed_ms)}`]],
    ["Canary", canary && [code(canary.version), ` with ${canary.percent} of a hundred new conversations, since ${moment(canary.since_ms)}`]],
    ["Answered before", previous && code(previous)],
    ["Withdrawn", withdrawn.length > 0 ? withdrawn.map((digest) => [code(digest), " "]) : null],
    ["Revision", String(now.revision)],
  ])];
}

function controls(page, { now, all, chosen, change }) {
  const lacks = page.session.lacks("deploy");
  if (lacks) {
    return [make("p", {}, lacks)];
  }
  if (all.length === 0) {
    return [make("p", {}, "Upload a version first.")];
  }
  return [
    bringing(now, all, chosen, change),
    now?.canary ? onTrial(now, change) : null,
    now?.previous || now?.canary ? back(now, change) : null,
    now ? withdrawal(now, all, change) : null,
  ].filter(Boolean);
}

function section(id, title, ...children) {
  return make("section", { class: "card", "aria-labelledby": id }, make("h2", { id }, title), children);
}

function choice(version) {
  const name = version.manifest?.version ? `, ${version.manifest.version}` : "";
  return [version.digest, `${short(version.digest)}${name}, uploaded ${moment(version.uploaded_ms)}`];
}

function percentage(value) {
  return make("input", { type: "number", name: "percent", min: "1", max: "100", step: "1", value: String(value), inputmode: "numeric" });
}

function bringing(now, all, chosen, change) {
  const open = all.filter((one) => one.digest !== now?.current && one.digest !== now?.canary?.version);
  if (open.length === 0) {
    return section("bring", "Bring a version into use", make("p", {}, "Every version that was uploaded is in use."));
  }
  const version = select(open.map(choice), chosen, { name: "version" });
  const percent = percentage(5);
  const deploy = () => change(now, { action: "deploy", version: version.value },
    `Version ${short(version.value)} answers now. Sessions that have begun go on with the version that they began with.`);
  const canary = () => change(now, { action: "start-canary", version: version.value, percent: Number(percent.value) },
    `Version ${short(version.value)} is on trial with ${percent.value} of a hundred new conversations.`);
  return section("bring", "Bring a version into use",
    form(deploy, field("Version", version), make("button", { class: "primary" }, "Deploy")),
    now && !now.canary ? form(canary,
      field("Percent of new conversations", percent, "A canary that does worse than the version that answers is rolled back by itself."),
      make("button", {}, "Start as a canary")) : null);
}

function onTrial(now, change) {
  const percent = percentage(now.canary.percent);
  const name = short(now.canary.version);
  return section("trial", `Canary ${name}`,
    form(() => change(now, { action: "set-percent", percent: Number(percent.value) }, `The canary gets ${percent.value} of a hundred new conversations.`),
      field("Percent of new conversations", percent), make("button", {}, "Set the percentage")),
    button("Promote the canary", async () => {
      if (await confirmed(`Promote ${name}?`, "It answers all new conversations from now on.", "Promote")) {
        await change(now, { action: "promote" }, `Version ${name} answers now.`);
      }
    }));
}

function back(now, change) {
  const target = short(now.canary ? now.current : now.previous);
  const from = now.canary ? "the canary" : `version ${short(now.current)}`;
  return section("back", "Roll back",
    make("p", {}, `Takes ${from} out of use: version ${target} answers, also in the sessions that began with ${from}.`),
    button(`Roll back to ${target}`, async () => {
      const explanation = `Sessions of ${from} go on with version ${target} at once.`;
      if (await confirmed(`Roll back to ${target}?`, explanation, "Roll back")) {
        await change(now, { action: "roll-back" }, `Rolled back: version ${target} answers now.`);
      }
    }));
}

function withdrawal(now, all, change) {
  const open = all.filter((one) => !now.withdrawn.includes(one.digest));
  const version = select(open.map(choice), now.current, { name: "withdrawn" });
  const withdraw = async () => {
    const name = short(version.value);
    if (await confirmed(`Withdraw ${name}?`, "It runs no more, also not in sessions that began with it.", "Withdraw")) {
      await change(now, { action: "withdraw", version: version.value }, `Version ${name} is withdrawn.`);
    }
  };
  return open.length === 0 ? null : section("withdraw", "Withdraw a version",
    form(withdraw, field("Version to withdraw", version, "For a version that must not run any more, in no session."),
      make("button", {}, "Withdraw")));
}
