// The management API, for whoever shows a token. The page has no door of its own: what it
// can do, a script can do as well.

const ROOT = new URL("../v1/", document.baseURI);

/** A path of the API, with each value written as one segment. */
export function at(parts, ...values) {
  return String.raw({ raw: parts }, ...values.map(encodeURIComponent));
}

/** What the host did not do, and why: problem details as RFC 9457 has them. */
export class Problem extends Error {
  constructor({ code, status, title, detail, retryAfter }) {
    super(detail || title);
    Object.assign(this, { code, status, title, detail, retryAfter });
  }
}

function unreachable() {
  return new Problem({
    code: "no-answer",
    title: "The host does not answer.",
    detail: "The connection failed or broke off before an answer came.",
  });
}

/** A problem out of what came back, which behind a broken proxy may be anything. */
function problem(status, text, retryAfter) {
  try {
    const { code, title, detail } = JSON.parse(text);
    if (code) {
      return new Problem({ code, status, title, detail, retryAfter });
    }
  } catch {
    // It is no JSON: said below.
  }
  const title = "Something between this page and the host answered in its place.";
  return new Problem({ code: "no-problem-detail", status, title, detail: `It said: ${status} ${text.slice(0, 200)}` });
}

export class Api {
  #token;
  #unauthorized;

  /** `unauthorized` is called with the problem when the token is good for nothing any more. */
  constructor(token, unauthorized = () => {}) {
    this.#token = token;
    this.#unauthorized = unauthorized;
  }

  /** What is there. */
  async get(path, query = {}, signal) {
    return (await this.#send("GET", path, { query, signal })).json();
  }

  /** A whole list, page by page. */
  async all(path, signal) {
    const items = [];
    let after;
    do {
      const page = await this.get(path, { limit: 200, after }, signal);
      items.push(...page.items);
      after = page.after;
    } while (after);
    return items;
  }

  /** Does something; answers what the host says of it, if it says anything. */
  async post(path, body, signal) {
    return answered(await this.#send("POST", path, { body, signal }));
  }

  /** Sets something. */
  async put(path, body, signal) {
    return answered(await this.#send("PUT", path, { body, signal }));
  }

  /** Takes something away. */
  async delete(path, signal) {
    return answered(await this.#send("DELETE", path, { signal }));
  }

  /** Follows something: `heard` gets pieces of text until it ends or is left. */
  async follow(path, heard, signal) {
    const response = await this.#send("GET", path, { signal });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        return;
      }
      heard(value);
    }
  }

  /**
   * Uploads a file and answers the operation that goes on with it; `progress` is told how
   * many bytes have left. `fetch` cannot tell that, so this is an `XMLHttpRequest`.
   */
  upload(path, file, progress, signal) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("POST", new URL(path, ROOT));
      request.setRequestHeader("authorization", `Bearer ${this.#token}`);
      request.setRequestHeader("content-type", "application/wasm");
      request.setRequestHeader("prefer", "respond-async");
      request.upload.addEventListener("progress", (event) => progress(event.loaded));
      request.addEventListener("error", () => reject(unreachable()));
      request.addEventListener("abort", () => reject(new DOMException("The upload was stopped.", "AbortError")));
      request.addEventListener("load", () => {
        if (request.status >= 200 && request.status < 300) {
          resolve(JSON.parse(request.responseText));
        } else {
          reject(this.#refused(request.status, request.responseText, request.getResponseHeader("retry-after")));
        }
      });
      signal?.addEventListener("abort", () => request.abort());
      request.send(file);
    });
  }

  async #send(method, path, { query = {}, body, signal }) {
    const address = new URL(path, ROOT);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined && value !== "") {
        address.searchParams.set(name, value);
      }
    }
    const headers = { authorization: `Bearer ${this.#token}` };
    if (body !== undefined) {
      headers["content-type"] = "application/json";
    }
    const request = { method, headers, body: body && JSON.stringify(body), signal, cache: "no-store", credentials: "omit" };
    let response;
    try {
      response = await fetch(address, request);
    } catch (error) {
      throw error.name === "AbortError" ? error : unreachable();
    }
    if (!response.ok) {
      throw this.#refused(response.status, await response.text(), response.headers.get("retry-after"));
    }
    return response;
  }

  #refused(status, text, retryAfter) {
    const refused = problem(status, text, retryAfter);
    if (refused.code === "unauthorized" || refused.code === "token-expired") {
      this.#unauthorized(refused);
    }
    return refused;
  }
}

async function answered(response) {
  const text = await response.text();
  return text === "" ? null : JSON.parse(text);
}
