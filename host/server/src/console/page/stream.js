// Server-sent events by hand: `EventSource` cannot send the header with the token.

/**
 * Reads events out of pieces of text, wherever they were cut. Comments keep a connection
 * open and say nothing.
 */
export class EventReader {
  #rest = "";

  /** The events that are whole with this piece, as `{ event, data }`. */
  take(piece) {
    const text = this.#rest + piece;
    // A line break at the very end may be the first half of one: it waits.
    const blocks = text.replace(/\r\n/g, "\n").split("\n\n");
    this.#rest = blocks.pop();
    return blocks.map(read).filter(Boolean);
  }
}

function read(block) {
  let event = "message";
  const data = [];
  for (const line of block.split("\n")) {
    const [, name, value] = /^([^:]*):? ?(.*)$/.exec(line);
    if (name === "event") {
      event = value;
    } else if (name === "data") {
      data.push(value);
    }
  }
  return data.length === 0 ? null : { event, data: data.join("\n") };
}
