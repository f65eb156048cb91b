// Who is compared, and how each is started.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { configure } from "../botyard/host.js";
import { start as startDatabase } from "../chat/database.js";
import { BotFramework } from "../vendors/bot-framework.js";
import { SECRET, Telegram } from "../vendors/telegram.js";
import { Userlike } from "../vendors/userlike.js";
import { Program } from "./process.js";

const here = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const node = (file, env) => Program.start(process.execPath, [here(file)], { env });

// `site` is one bot with its vendor and its data; it may be killed and started
// again.
class Site {
  constructor(Vendor, start) {
    this.vendor = new Vendor();
    this.start = () => start(this);
  }

  async open(directory) {
    mkdirSync(directory, { recursive: true });
    this.directory = directory;
    await this.vendor.open();
    await this.restart();
  }

  async restart() {
    this.program = await this.start();
    this.url = this.program.url;
  }

  async crash() {
    await this.program.kill();
    await this.restart();
  }

  async close() {
    await this.program?.kill();
    await this.database?.kill();
    this.vendor.close();
  }
}

const grammy = (variant) => () =>
  new Site(Telegram, (site) =>
    node(`grammy/${variant}.js`, { VENDOR_URL: site.vendor.url, DATA: site.directory }),
  );

const botbuilder = (variant) => () =>
  new Site(BotFramework, (site) =>
    node(`botbuilder/${variant}.js`, { DATA: site.directory }),
  );

const chat = (variant) => () =>
  new Site(Telegram, async (site) => {
    const env = {
      TELEGRAM_API_BASE_URL: site.vendor.url,
      TELEGRAM_BOT_TOKEN: "1:token",
      TELEGRAM_WEBHOOK_SECRET_TOKEN: SECRET,
    };
    if (variant === "remedy") {
      site.database ??= await startDatabase(join(site.directory, "database"));
      env.POSTGRES_URL = site.database.url;
    }
    return node(`chat/${variant}.js`, env);
  });

const botyard = (program, component) => () =>
  new Site(Userlike, (site) => {
    const file = configure(site.directory, component, site.vendor.url);
    return Program.start(program, ["serve", "--config", file]);
  });

export function contestants({ program, component }) {
  return {
    "grammY, default": grammy("default"),
    "grammY, remedy": grammy("remedy"),
    "botbuilder, default": botbuilder("default"),
    "botbuilder, remedy": botbuilder("remedy"),
    "chat, default": chat("default"),
    "chat, remedy": chat("remedy"),
    Botyard: botyard(program, component),
  };
}
