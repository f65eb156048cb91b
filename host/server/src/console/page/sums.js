// What hours add up to.

/** Of these the highest counts; of all others the sum. */
const PEAKS = new Set(["memory_peak_bytes"]);

/** What each bot has used in some hours, by the names of bots. */
export function sums(hours) {
  const all = new Map();
  for (const { bot, hour_ms: _, ...counts } of hours) {
    const of = all.get(bot) ?? {};
    for (const [name, count] of Object.entries(counts)) {
      of[name] = PEAKS.has(name) ? Math.max(of[name] ?? 0, count) : (of[name] ?? 0) + count;
    }
    all.set(bot, of);
  }
  return new Map([...all].sort(([one], [other]) => (one < other ? -1 : 1)));
}
