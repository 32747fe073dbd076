// What this page asks of its own server. Paths are relative, so that it works behind a proxy's path too.

export class ServerError extends Error {
  constructor(message, { reason = "", field = "" } = {}) {
    super(message);
    this.reason = reason;
    this.field = field;
  }
}

export class Server {
  #key = ""; // in memory only: a reload asks for it again

  get hasKey() {
    return this.#key !== "";
  }

  useKey(key) {
    if (!/^[\x21-\x7e]+( +[\x21-\x7e]+)*$/.test(key)) {
      throw new ServerError("is empty, has blanks around it or characters beyond ASCII; no header can carry it", {
        field: "authorization",
      });
    }
    this.#key = key;
  }

  forgetKey() {
    this.#key = "";
  }

  get(path) {
    return this.#ask(path, { cache: "no-store" });
  }

  post(path, body, signal) {
    const headers = { "content-type": "application/json" };
    return this.#ask(path, { method: "POST", headers, body: JSON.stringify(body), signal });
  }

  // "" where the server is ready, else why it is not.
  async unreadiness() {
    try {
      const reply = await fetch("readyz", { cache: "no-store" });
      return reply.ok ? "" : await reply.text();
    } catch {
      return "it does not answer";
    }
  }

  async #ask(path, options) {
    const headers = { ...options.headers };
    if (this.#key) headers.authorization = `Bearer ${this.#key}`;
    let reply;
    try {
      reply = await fetch(path, { ...options, headers });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new ServerError("The server does not answer; see whether it runs.", { reason: "unreachable" });
    }
    const body = await reply.json().catch(() => null);
    if (reply.ok && body !== null) return body;
    if (body?.error) throw new ServerError(body.error.message, body.error);
    throw new ServerError(`HTTP ${reply.status} from what stands before the server.`, { reason: "unreachable" });
  }
}
