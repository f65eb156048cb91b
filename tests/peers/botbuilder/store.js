// A store with entity tags on files, as "Implement custom storage for your bot"
// wants one: a state is saved only over the state that was loaded. One process
// uses it, so that looking and writing need no lock between them.

import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";

export class FileStore {
  constructor(folder) {
    this.folder = folder;
  }

  async load(key) {
    return this.#read(key);
  }

  async save(key, state, etag) {
    const found = this.#read(key).etag;
    if (found !== etag) return false;
    const file = this.#file(key);
    const descriptor = openSync(`${file}.new`, "w");
    writeSync(descriptor, JSON.stringify({ state, etag: (etag ?? 0) + 1 }));
    fsyncSync(descriptor);
    closeSync(descriptor);
    renameSync(`${file}.new`, file);
    return true;
  }

  #read(key) {
    try {
      return JSON.parse(readFileSync(this.#file(key), "utf8"));
    } catch (error) {
      if (error.code === "ENOENT") return {};
      throw error;
    }
  }

  #file(key) {
    return join(this.folder, `${encodeURIComponent(key)}.json`);
  }
}
