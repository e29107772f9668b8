// A client of npc_engine for browsers and WebGL games: one WebSocket, and a handler for each line. No dependencies.
//
//   import { Engine } from "./npc_engine.js";
//   const engine = new Engine("ws://127.0.0.1:7891/", { client: "village" });
//   engine.speak({ npc: "elder", text: "Mind the step!" }, (message) => console.log(message.kind));
//
// playback.js plays a line, with WebAudio. bindings/PROTOCOL.md tells what the messages mean.

import { WireError, decode, encode } from "./messages.js";

export { WireError, decode, encode };

export const VERSION = 1;
export const PROTOCOL = "npc-engine";
const TOKEN_PREFIX = "npc-engine.token."; // a browser can give a WebSocket no other header
const AGAIN_MS = [500, 1000, 2000, 5000]; // until it is tried again, the last one for ever
const OVER = new Set(["end", "cancelled"]);

/** A connection that comes back by itself; lines do not, since the engine knows connections and no games. */
export class Engine {
  #url;
  #token;
  #client;
  #socket = null;
  #lines = new Map(); // id → handler of those that are open
  #waiting = []; // what was said before the WebSocket opened
  #next = 1;
  #tries = 0;
  #timer = 0;
  #closed = false;

  /** `welcome` of the engine; null while there is no connection. */
  welcome = null;

  /** Called with "connecting", "connected" or "lost", and with a text for a person. */
  onstate = () => {};

  /** Called with messages that belong to no line: welcome, npcs, pong, warmed, stats and errors. */
  onmessage = () => {};

  constructor(url, { client = "", token = "" } = {}) {
    this.#url = url;
    this.#client = client;
    this.#token = token;
    queueMicrotask(() => this.#connect());
  }

  #connect() {
    if (this.#closed) return;
    this.onstate("connecting", this.#url);
    const protocols = this.#token ? [PROTOCOL, TOKEN_PREFIX + this.#token] : [PROTOCOL];
    const socket = (this.#socket = new WebSocket(this.#url, protocols));
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      socket.send(encode({ kind: "hello", version: VERSION, client: this.#client }));
      for (const bytes of this.#waiting.splice(0)) socket.send(bytes);
    };
    socket.onmessage = (event) => this.#take(new Uint8Array(event.data));
    socket.onclose = (event) => this.#lose(event);
  }

  #take(bytes) {
    let message;
    try {
      message = decode(bytes);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      message = { kind: "error", code: "bad-message", text: `the engine sent: ${error.message}`, line: "", ends: false, id: "", wait_ms: 0 };
    }
    if (message === null) return; // a newer engine may say more than we know
    if (message.kind === "welcome") {
      this.welcome = message;
      this.#tries = 0;
      this.onstate("connected", `engine ${message.engine}`);
    }
    const handler = this.#lines.get(message.line);
    if (OVER.has(message.kind) || (message.kind === "error" && message.ends)) this.#lines.delete(message.line);
    (handler ?? this.onmessage)(message);
  }

  #lose(event) {
    const opened = this.welcome !== null;
    const why = event.reason || (opened ? `code ${event.code}` : "nobody answers, or lets this page in");
    this.welcome = null;
    this.#waiting = [];
    const lines = [...this.#lines];
    this.#lines.clear();
    for (const [line, handler] of lines) {
      handler({ kind: "error", code: "disconnected", text: `the connection to the engine broke: ${why}`, line, ends: true, id: "", wait_ms: 0 });
    }
    if (this.#closed) return;
    this.onstate("lost", why);
    this.#timer = setTimeout(() => this.#connect(), AGAIN_MS[Math.min(this.#tries++, AGAIN_MS.length - 1)]);
  }

  /** Send a message of PROTOCOL.md, an object with `kind`; one that breaks its rules throws WireError. */
  send(message) {
    const bytes = encode(message);
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(bytes);
    else this.#waiting.push(bytes);
  }

  /** Ask for a line, keys as in PROTOCOL.md; `handler` is called with each message of it. Its id. */
  speak(keys, handler) {
    const line = keys.line ?? `w${this.#next++}`;
    this.send({ text: "", ...keys, kind: "speak", line });
    this.#lines.set(line, handler);
    return line;
  }

  append(line, text) {
    this.send({ kind: "append", line, text });
  }

  commit(line) {
    this.send({ kind: "commit", line });
  }

  credit(line, ms) {
    this.send({ kind: "credit", line, ms });
  }

  /** Cut a line; `heard`, the sample being heard, lets `cancelled` tell the text heard so far. */
  cancel(line, heard) {
    if (!this.#lines.has(line)) return;
    if (heard !== undefined && this.can("playhead")) this.send({ kind: "playhead", line, sample: heard });
    this.send({ kind: "cancel", line });
  }

  /** Whether the engine answers a kind, or knows what `welcome.capabilities` names. */
  can(capability) {
    return this.welcome?.capabilities.includes(capability) ?? false;
  }

  /** Leave; the engine stops what this connection has asked for. */
  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }
}
