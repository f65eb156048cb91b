// The webhook route of Chat SDK takes a `Request` and gives a `Response`; this
// is the web server around it. A process that stays needs no `waitUntil`.

import { createServer } from "node:http";
import { announce } from "../behaviour.js";

export function serve(bot) {
  const server = createServer(async (incoming, outgoing) => {
    const chunks = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const request = new Request(`http://127.0.0.1${incoming.url}`, {
      method: incoming.method,
      headers: incoming.headers,
      body: Buffer.concat(chunks),
    });
    const response = await bot.webhooks.telegram(request);
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    outgoing.end(await response.text());
  });
  server.listen(0, "127.0.0.1", announce(() => server));
}
