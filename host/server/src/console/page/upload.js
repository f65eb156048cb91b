// Uploading a version. It changes no traffic.

import { Problem, at } from "./api.js";
import { button, field, form, make, say } from "./dom.js";
import { bytes, short } from "./format.js";
import { isLeft, shown } from "./problem.js";

/** How far the host is, in words. */
const PHASES = {
  waiting: "All of it is there. Other uploads go first.",
  checking: "The host checks what it is.",
  compiling: "The host compiles it. A bot in JavaScript or Python takes up to a minute.",
  rehearsing: "The host starts it once, to see that it can.",
};
/** How long until the host is asked again. */
const PAUSE_MS = 300;

/** The form; `uploaded` is called with the digest of what is there now. */
export function upload(page, uploaded) {
  const lacks = page.session.lacks("deploy");
  return make("section", { "aria-labelledby": "upload" },
    make("h2", { id: "upload" }, "Upload a version"),
    lacks ? make("p", {}, lacks) : uploadForm(page, uploaded));
}

function uploadForm({ api, tenant, bot, about, signal }, uploaded) {
  if (about.shared) {
    return make("p", {}, `This bot runs what the operator uploads to ${about.shared}: it takes no uploads of its own.`);
  }
  const file = make("input", { type: "file", name: "file", accept: ".wasm,application/wasm" });
  const progress = make("progress", { id: "upload-progress", max: "1", value: "0" });
  const words = make("p", { id: "upload-words" });
  let stop = null;
  const halt = button("Stop the upload", () => stop?.abort());
  const running = make("div", { class: "running", hidden: true },
    make("label", { for: progress.id }, "Upload"), progress, words, halt);
  const outcome = make("div");

  const submit = () => shown(outcome, async () => {
    const [chosen] = file.files;
    if (!chosen) {
      throw new Problem({ code: "no-file", title: "No file is chosen yet.", detail: "A version is one .wasm file." });
    }
    stop = new AbortController();
    signal.addEventListener("abort", () => stop.abort());
    running.hidden = false;
    halt.hidden = false;
    progress.value = 0;
    say("The upload has begun.");
    try {
      const path = at`tenants/${tenant}/bots/${bot}/versions`;
      const begun = await api.upload(path, chosen, (sent) => tell(sent, chosen.size), stop.signal);
      // From here on the host goes on by itself.
      halt.hidden = true;
      const { version } = await ended(begun);
      await uploaded(version);
      outcome.replaceChildren(done(version));
    } catch (problem) {
      if (!isLeft(problem)) {
        throw problem;
      }
      // What the host has whole it brings to its end, whoever waits for it or not.
      const stopped = progress.hasAttribute("value")
        ? "The upload was stopped: nothing of it is kept."
        : "All of it was there already, so the host goes on: look among the versions in a moment.";
      outcome.replaceChildren(make("p", { class: "note" }, stopped));
      say(stopped);
    } finally {
      running.hidden = true;
    }
  });

  function tell(sent, size) {
    // The browser counts what it has handed over; the rest is the host's work.
    if (sent < size) {
      progress.value = size === 0 ? 1 : sent / size;
      words.textContent = `${bytes(sent)} of ${bytes(size)}`;
    } else if (progress.hasAttribute("value")) {
      progress.removeAttribute("value");
      words.textContent = "All of it is there.";
      say(words.textContent);
    }
  }

  /** Asks how far the host is until it is done, and tells each phase once. */
  async function ended(operation) {
    let now = operation;
    for (let told = null; now.phase !== "done"; now = await api.get(at`tenants/${tenant}/operations/${operation.id}`, {}, signal)) {
      if (now.phase === "failed") {
        throw new Problem(now.problem);
      }
      if (now.phase !== told) {
        told = now.phase;
        words.textContent = PHASES[told] ?? told;
        say(words.textContent);
      }
      await new Promise((resolve) => { setTimeout(resolve, PAUSE_MS); });
    }
    return now;
  }

  return form(submit,
    field("Component", file, "The .wasm file that your build wrote. It answers nobody until it is deployed."),
    make("button", { class: "primary" }, "Upload"), running, outcome);
}

function done(digest) {
  say(`Version ${short(digest)} is uploaded.`);
  return make("p", { class: "done" }, "Version ", make("code", {}, short(digest)),
    " is uploaded. It answers nobody until it is deployed. Below stands what it wants.");
}
