// PostgreSQL in a process of its own, which no scenario kills.

import { PGlite } from "@electric-sql/pglite";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";

const database = await PGlite.create(process.env.DATA);
const server = new PGLiteSocketServer({
  db: database,
  host: "127.0.0.1",
  port: 0,
  maxConnections: 20,
});
server.addEventListener("listening", ({ detail }) => {
  console.log(`listening on http://127.0.0.1:${detail.port}`);
});
await server.start();
