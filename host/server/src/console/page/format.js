// Numbers and names as people read them.

/** Bytes, in the largest unit that leaves a number above one. */
export function bytes(count) {
  const units = ["bytes", "KiB", "MiB", "GiB"];
  let [value, unit] = [count, 0];
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** CPU time that is given in microseconds. */
export function cpu(microseconds) {
  return `${(microseconds / 1000).toFixed(2)} ms CPU`;
}

/** A moment, in the reader's own time zone. */
export function moment(milliseconds) {
  return new Date(milliseconds).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

/** Enough of a version's digest to tell it from the others. */
export function short(digest) {
  return digest.slice(0, 12);
}

/** A count with its noun. */
export function counted(count, noun) {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** What became of a turn, in a sentence. */
export function outcome(result) {
  if (result === "ran") {
    return "ran";
  }
  if (result && result.failed) {
    const { kind, message, blame } = result.failed;
    const whose = blame ? ` (to blame: the ${blame})` : "";
    return `failed: ${[kind, message].filter(Boolean).join(", ")}${whose}`;
  }
  if (result && result.skipped) {
    const words = result.skipped.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
    return `nobody ran: ${words}`;
  }
  return typeof result === "string" ? result : JSON.stringify(result);
}
