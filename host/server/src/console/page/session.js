// Who is signed in. The token stays in this tab and is forgotten with it.

import { Api } from "./api.js";

const KEY = "botyard.token";
const SCOPES = ["read", "deploy", "admin", "operator"];

export class Session {
  /** Signs in, or throws the problem; `left` is called when the token is refused later. */
  static async begin(token, left) {
    const me = await new Api(token).get("whoami");
    sessionStorage.setItem(KEY, token);
    return new Session(token, me, left);
  }

  /** The token of this tab, if somebody has signed in. */
  static kept() {
    return sessionStorage.getItem(KEY);
  }

  static forget() {
    sessionStorage.removeItem(KEY);
  }

  constructor(token, me, left) {
    this.me = me;
    this.api = new Api(token, left);
  }

  /** Whether the token's scope is at least this one. */
  may(scope) {
    return SCOPES.indexOf(this.me.scope) >= SCOPES.indexOf(scope);
  }

  /** Whether people's texts are hidden from the reader. */
  get hidesTexts() {
    return this.me.texts !== "full";
  }

  /** Says what is missing where the scope is too small, else nothing. */
  lacks(scope) {
    return this.may(scope) ? null : `Your token has the scope "${this.me.scope}". For this, ask for one with "${scope}".`;
  }
}
