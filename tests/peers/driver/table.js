// The measured numbers as one table: a column a contestant, a row a question.

const ROWS = [
  ["burst: 100 messages at once"],
  ["counted (right: 100)", (all) => all.burst?.counter],
  ["without a reply", (all) => all.burst?.unanswered],
  ["counts seen in order", (all) => yes(all.burst?.ordered)],
  ["sequence: 100 messages, each after the 2xx of the last"],
  ["counted (right: 100)", (all) => all.sequence?.counter],
  ["without a reply", (all) => all.sequence?.unanswered],
  ["counts seen in order", (all) => yes(all.sequence?.ordered)],
  ["redelivery: 20 messages, the vendor hung up twice on each"],
  ["counted (right: 20)", (all) => all.hungUp?.counter],
  ["replies seen (right: 20)", (all) => all.hungUp?.replies],
  ["webhooks sent", (all) => all.hungUp?.deliveries],
  ["redelivery: 20 messages, whole answers lost on the way twice"],
  ["counted (right: 20)", (all) => all.answerLost?.counter],
  ["replies seen (right: 20)", (all) => all.answerLost?.replies],
  ["fault: the bot fails the first time at 5 of 100 messages"],
  ["counted (right: 100)", (all) => all.faultOnce?.counter],
  ["doubled replies", (all) => all.faultOnce?.doubled],
  ["neither reply nor apology", (all) => silent(all.faultOnce)],
  ["apologies", (all) => all.faultOnce?.apologies],
  ["fault: the bot fails each time at 5 of 100 messages"],
  ["counted (95: failed turns change nothing)", (all) => all.faultAlways?.counter],
  ["doubled replies", (all) => all.faultAlways?.doubled],
  ["neither reply nor apology", (all) => silent(all.faultAlways)],
  ["apologies", (all) => all.faultAlways?.apologies],
  ["crash: the bot is killed again and again under 8 persons"],
  ["kills", (all) => all.crash?.kills],
  ["messages, all taken with a 2xx", (all) => all.crash?.messages],
  ["counted (right: as many)", (all) => all.crash?.counter],
  ["persons with a wrong count", (all) => all.crash?.wrong],
  ["without a reply", (all) => all.crash?.unanswered],
  ["doubled replies", (all) => all.crash?.doubled],
];

export function table(found) {
  const names = Object.keys(found);
  const rows = ROWS.map(([title, cell]) =>
    cell
      ? [title, ...names.map((name) => String(cell(found[name]) ?? "-"))]
      : [`**${title}**`, ...names.map(() => "")],
  );
  return lines([["", ...names], ...rows]).join("\n");
}

function lines(rows) {
  const widths = rows[0].map((_, column) => Math.max(3, ...rows.map((row) => row[column].length)));
  const pad = (cell, column) => (column ? cell.padStart : cell.padEnd).call(cell, widths[column]);
  const line = (row) => `| ${row.map(pad).join(" | ")} |`;
  const rule = widths.map((width, column) => "-".repeat(width - Boolean(column)) + (column ? ":" : ""));
  return [line(rows[0]), `| ${rule.join(" | ")} |`, ...rows.slice(1).map(line)];
}

const yes = (value) => (value === undefined ? undefined : value ? "yes" : "no");

const silent = (result) =>
  result === undefined ? undefined : Math.max(0, result.unanswered - result.apologies);
