// Botyard as one would run it: the program, its configuration file and a bot.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { HEADER, SECRET, TOKEN } from "../vendors/userlike.js";

export function configure(directory, component, vendorUrl) {
  const file = join(directory, "botyard.toml");
  writeFileSync(
    file,
    `[server]
listen = "127.0.0.1:0"
[store]
directory = ${JSON.stringify(directory)}
[egress]
allow-loopback = true
[tenants.demo.bots.counter]
component = ${JSON.stringify(component)}
[tenants.demo.channels.main]
vendor = "userlike"
bot = "counter"
webhook-header = "${HEADER}"
webhook-secret = "${SECRET}"
api-url = "${vendorUrl}/v1/"
api-token = "${TOKEN}"
failure-texts = { "" = "Sorry, something went wrong." }
`,
  );
  return file;
}
