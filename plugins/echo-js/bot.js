// The smallest bot in JavaScript, straight on the WIT of `wit/v1`: it says what
// it hears.
//
// Variants arrive and leave as `{ tag, val }`, fields in camelCase, enums as
// strings. A thrown error ends the turn without any action.

export const handler = {
  handle(event, _session) {
    const message = heard(event.body);
    return message ? [{ tag: "message", val: message }] : [];
  },
};

/** The message of an event: by itself, or as what a session opens with. */
function heard(body) {
  if (body.tag === "message") return body.val;
  if (body.tag === "start" && body.val.first?.tag === "message") return body.val.first.val;
  return undefined;
}
