// The messages of bindings/PROTOCOL.md as tables: each field's rule reads, checks and writes it. One WebSocket message
// is a header in msgpack, then its payloads one after another; the header says how long they are. No I/O.

import { MsgpackError, Reader, Real, write } from "./msgpack.js";

const MOST = 2 ** 53; // whole numbers that a double can hold
const PAYLOAD_BYTES = 33_554_432;
const HEADER_BYTES = 262_144;
const TICK_SAMPLES = 480; // 20 ms at 24 kHz
const WIDTHS = [15, 50, 52]; // coefficients of one tick: visemes15, exp50, arkit52
const PAYLOADS = ["sound", "coefficients", "picture"];

/** A message that breaks the protocol: says what came, what was expected, where. */
export class WireError extends Error {}

// ── rules: `byDefault` undefined means that the key must be there ─────────────────────────────────────────────────

const rule = (is, expected, byDefault) => ({ is, expected, byDefault });

function text(most, { least = 0, byDefault } = {}) {
  const fits = (v) => typeof v === "string" && within([...v].length, least, most); // characters, not UTF-16 units
  return rule(fits, `a string of ${least} to ${most} characters`, byDefault);
}

function whole(low, high, byDefault) {
  return rule((v) => Number.isInteger(v) && within(v, low, high), `a whole number, ${low} to ${high}`, byDefault);
}

function truth(byDefault) {
  return rule((v) => typeof v === "boolean", "true or false", byDefault);
}

function list(item, byDefault) {
  return { ...rule(Array.isArray, "a list", byDefault), item };
}

function table(fields, byDefault) {
  return { ...rule((v) => v !== null && typeof v === "object" && !Array.isArray(v), "a map", byDefault), fields };
}

function real(low, high, byDefault) {
  const fits = (v) => typeof v === "number" && within(v, low, high);
  return { ...rule(fits, `a number, ${low} to ${high}`, byDefault), real: true };
}

const payload = { payload: true };
const within = (v, low, high) => low <= v && v <= high;

const id = text(64, { least: 1 });
const name = text(64, { byDefault: "" });
const names = (byDefault) => list(text(64, { least: 1 }), byDefault);
const count = () => whole(0, MOST, 0);

/** What an engine says: kind → its keys. */
export const REPLIES = {
  welcome: {
    version: whole(0, MOST), engine: text(64), channels: names(), capabilities: names(), sample_rate: whole(1, MOST),
    tick_ms: whole(1, MOST), open_lines: whole(1, MOST), text_chars: whole(1, MOST), credit_cap_ms: whole(1, MOST),
    arkit52: names([]), visemes15: names([]),
  },
  accepted: { line: id, picture: payload, place: count() },
  words: {
    line: id,
    words: list(table({
      text: text(2000), start: whole(0, MOST), end: whole(0, MOST), first: whole(0, MOST), last: whole(0, MOST),
    }), []),
  },
  mark: { line: id, name: text(2000), tick: whole(0, MOST) },
  moment: {
    line: id, tick: whole(0, MOST), ticks: whole(1, 4096), picture_tick: whole(0, MOST, null), sound: payload,
    coefficients: payload, picture: payload,
  },
  end: { line: id, ticks: whole(0, MOST) },
  cancelled: {
    line: id, ticks: whole(0, MOST), reason: text(2000, { byDefault: "" }), heard: text(20_000, { byDefault: "" }),
    heard_chars: whole(0, 20_000, 0),
  },
  error: {
    code: text(64, { least: 1 }), text: text(2000), line: name, ends: truth(true), id: name,
    wait_ms: whole(0, 86_400_000, 0),
  },
  pong: { mark: whole(0, MOST, 0) },
  warmed: { id, npc: name, voice: name, text_chars: count(), ms: count() },
  npcs: {
    npcs: list(table({ name: text(64), voice: name, face: name, about: text(2000, { byDefault: "" }) }), []),
    voices: list(text(64), []), faces: list(text(64), []),
  },
  stats: Object.fromEntries(
    ["lines", "waiting", "queued_ms", "sent_ms", "pictures", "thinned", "shrunk", "damped", "refused",
      "first_moment_ms", "engine_lines", "load_percent"].map((key) => [key, count()]),
  ),
};

/** What a game says: kind → its keys. */
export const REQUESTS = {
  hello: { version: whole(0, MOST), client: name },
  speak: {
    line: id, text: text(HEADER_BYTES), npc: name, voice: name, face: name, style: name,
    emotion: text(64, { byDefault: "neutral" }), priority: whole(-100, 100, 0), credit_ms: whole(0, 10_000, 600),
    outputs: table({
      sound: truth(true), coefficients: text(2000, { byDefault: "exp50" }), words: truth(true),
      picture: whole(0, MOST, 0), picture_every: whole(0, MOST, 2), picture_format: text(2000, { byDefault: "" }),
      thin: truth(true),
    }, {}),
    strength: real(0, 1, 1), open: truth(false), attitude: name, lasts_ms: whole(0, 86_400_000, 0),
    turn: text(64, { byDefault: "wait" }), deadline_ms: whole(0, 600_000, 0), live: truth(false),
    sound_rate: whole(8_000, 48_000, 24_000), denoise: truth(false),
  },
  append: { line: id, text: text(HEADER_BYTES) },
  sound: { line: id, sound: payload },
  commit: { line: id },
  credit: { line: id, ms: whole(1, 10_000) },
  playhead: { line: id, sample: whole(0, MOST) },
  cancel: { line: name, npc: name, all: truth(false) },
  warm: {
    id, text: text(HEADER_BYTES, { byDefault: "" }), npc: name, voice: name, style: name,
    emotion: text(64, { byDefault: "neutral" }), strength: real(0, 1, 1),
  },
  ping: { mark: whole(0, MOST, 0) },
  list: {},
  report: {},
};

// ── writing ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** The bytes of a message of a game, an object with `kind`; `sound` is an Int16Array. Throws WireError. */
export function encode(message) {
  const fields = REQUESTS[message.kind];
  if (!fields) throw new WireError(`kind ${message.kind} is unknown, expected one of ${Object.keys(REQUESTS)}`);
  const header = new Map([["kind", message.kind], ...written(fields, message, message.kind)]);
  const parts = PAYLOADS.filter((key) => fields[key]?.payload && message[key]).map((key) => bytesOf(message[key]));
  PAYLOADS.filter((key) => fields[key]?.payload && message[key]).forEach((key, i) => header.set(key, parts[i].length));
  return joined([write(header), ...parts]);
}

function written(fields, values, where) {
  const unknown = Object.keys(values).find((key) => key !== "kind" && !(key in fields));
  if (unknown) throw new WireError(`${where} has the key ${unknown}, expected ${Object.keys(fields)}`);
  const out = [];
  for (const [key, field] of Object.entries(fields)) {
    if (field.payload) continue;
    const value = values[key] ?? field.byDefault;
    checked(field, value, `${where}: ${key}`);
    const plain = field.fields ? new Map(written(field.fields, value, `${where}: ${key}`)) : value;
    if (field.fields ? plain.size : value !== field.byDefault) out.push([key, field.real ? new Real(value) : plain]);
  }
  return out;
}

function bytesOf(array) {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function joined(parts) {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

// ── reading ───────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * The message of an engine, with its defaults filled in: `sound` an Int16Array, `coefficients` a Float32Array of tick
 * after tick, `picture` a Uint8Array, each null where there is none. null for a kind that a newer engine may have.
 * Throws WireError.
 */
export function decode(bytes) {
  const reader = new Reader(bytes);
  let header;
  try {
    header = reader.value();
  } catch (error) {
    if (error instanceof MsgpackError) throw new WireError(`header is no msgpack map: ${error.message}`);
    throw error;
  }
  if (!table({}).is(header)) throw new WireError("header is no map");
  if (reader.at > HEADER_BYTES) throw new WireError(`header of ${reader.at} bytes, expected at most ${HEADER_BYTES}`);
  if (typeof header.kind !== "string") throw new WireError("header has no kind, expected a string");
  if (!Object.hasOwn(REPLIES, header.kind)) {
    if (Object.hasOwn(REQUESTS, header.kind)) throw new WireError(`kind ${header.kind} travels the other way`);
    return null;
  }
  const fields = REPLIES[header.kind];
  const message = { kind: header.kind, ...taken(fields, header, header.kind) };
  const rest = payloads(fields, header, bytes.subarray(reader.at), message);
  if (rest) throw new WireError(`${rest} bytes follow what the header promised`);
  if (message.kind === "moment") checkMoment(message);
  return message;
}

function taken(fields, values, where) {
  const message = {};
  for (const [key, field] of Object.entries(fields)) {
    if (field.payload) message[key] = null;
    else if (values[key] === undefined) {
      if (field.byDefault === undefined) throw new WireError(`${where}: key ${key} is missing`);
      message[key] = field.byDefault;
    } else message[key] = valueOf(field, values[key], `${where}: ${key}`);
  }
  return message;
}

function valueOf(field, value, where) {
  if (value === null && field.byDefault === null) return null;
  checked(field, value, where);
  if (field.item) return value.map((item, i) => valueOf(field.item, item, `${where}[${i}]`));
  return field.fields ? taken(field.fields, value, where) : value;
}

function checked(field, value, where) {
  if (field.is(value)) return;
  const shown = value instanceof Real ? `the float ${value.value}` : JSON.stringify(value)?.slice(0, 60);
  throw new WireError(`${where} is ${shown}, expected ${field.expected}`);
}

/** Puts the payloads, which `bytes` are, into `message`; how many bytes are left. */
function payloads(fields, header, bytes, message) {
  let at = 0;
  for (const key of PAYLOADS) {
    if (!fields[key]?.payload) continue;
    const size = header[key] ?? 0;
    checked(whole(0, PAYLOAD_BYTES), size, key);
    if (size > bytes.length - at) throw new WireError(`${key} of ${bytes.length - at} bytes, header promised ${size}`);
    if (size % 2 && key !== "picture") throw new WireError(`${key} of ${size} bytes, expected a multiple of 2`);
    const part = bytes.slice(at, at + size); // a copy: numbers of 16 bits begin at even addresses
    if (size) message[key] = key === "picture" ? part : key === "sound" ? new Int16Array(part.buffer) : halves(part);
    at += size;
  }
  return bytes.length - at;
}

/** Float32Array of IEEE 754 binary16, all finite. */
function halves(part) {
  return Float32Array.from(new Uint16Array(part.buffer), (bits) => {
    const exponent = (bits >> 10) & 31;
    if (exponent === 31) throw new WireError("coefficients hold a value that is not finite");
    const size = exponent ? (1024 + (bits & 1023)) * 2 ** (exponent - 25) : (bits & 1023) * 2 ** -24;
    return bits & 0x8000 ? -size : size;
  });
}

function checkMoment({ tick, ticks, sound, coefficients, picture, picture_tick }) {
  if (sound && sound.length !== ticks * TICK_SAMPLES) {
    throw new WireError(`sound of ${sound.length} samples, expected ${ticks * TICK_SAMPLES} for ${ticks} ticks`);
  }
  if (coefficients && !WIDTHS.includes(coefficients.length / ticks)) {
    throw new WireError(`coefficients of ${coefficients.length} values, expected ${ticks} times one of ${WIDTHS}`);
  }
  if ((picture_tick === null) !== (picture === null)) {
    throw new WireError("picture and picture_tick come together or not at all");
  }
  if (picture && !within(picture_tick, tick, tick + ticks - 1)) {
    throw new WireError(`picture_tick is ${picture_tick}, expected ${tick} to ${tick + ticks - 1}`);
  }
}
