// msgpack as the wire of npc_engine uses it (https://github.com/msgpack/msgpack/blob/master/spec.md): maps, lists,
// strings, whole numbers to 2^53, floats, truth values and nothing; no extension types. No I/O, no dependencies.

export const ITEMS = 4096; // entries of one map or list
export const DEPTH = 16; // maps and lists in one another

/** Data that is no msgpack, or beyond the limits: says what. */
export class MsgpackError extends Error {}

/** A number that travels as a float, even where it is whole. */
export class Real {
  constructor(value) {
    this.value = value;
  }
}

/** The bytes of a value, each part in its shortest form; a Map or plain object is a map. */
export function write(value) {
  const out = [];
  put(out, value);
  return Uint8Array.from(out);
}

function put(out, value) {
  if (value === null || value === undefined) out.push(0xc0);
  else if (typeof value === "boolean") out.push(value ? 0xc3 : 0xc2);
  else if (value instanceof Real) out.push(0xcb, ...bytesOf(8, (view) => view.setFloat64(0, value.value)));
  else if (typeof value === "number") putWhole(out, value);
  else if (typeof value === "string") putString(out, value);
  else if (Array.isArray(value)) {
    putSize(out, value.length, 0x90, 15, [0xdc, 0xdd]);
    for (const item of value) put(out, item);
  } else {
    const entries = value instanceof Map ? [...value] : Object.entries(value);
    putSize(out, entries.length, 0x80, 15, [0xde, 0xdf]);
    for (const [key, item] of entries) {
      putString(out, key);
      put(out, item);
    }
  }
}

function putWhole(out, n) {
  if (!Number.isInteger(n) || Math.abs(n) > 2 ** 53) throw new MsgpackError(`${n} is no whole number to 2^53; a float is written as Real`);
  if (n >= -32 && n < 0x80) out.push(n & 255);
  else {
    const power = [8, 16, 32, 64].findIndex((bits) => (n < 0 ? n >= -(2 ** (bits - 1)) : n < 2 ** bits));
    out.push((n < 0 ? 0xd0 : 0xcc) + power, ...bytesOf(8, (view) => view.setBigInt64(0, BigInt(n))).slice(-(1 << power)));
  }
}

function putString(out, text) {
  const bytes = new TextEncoder().encode(text);
  putSize(out, bytes.length, 0xa0, 31, [0xd9, 0xda, 0xdb]);
  for (const byte of bytes) out.push(byte);
}

function putSize(out, size, small, most, leads) {
  if (size <= most) out.push(small | size);
  else if (size < 0x100 && leads.length === 3) out.push(leads[0], size);
  else if (size < 0x10000) out.push(leads.at(-2), size >> 8, size & 255);
  else out.push(leads.at(-1), ...bytesOf(4, (view) => view.setUint32(0, size)));
}

function bytesOf(size, set) {
  const bytes = new Uint8Array(size);
  set(new DataView(bytes.buffer));
  return bytes;
}

/** Reads `value`s of `bytes`, and stands `at` where the last one ends; floats are Real. */
export class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = 0;
  }

  take(size) {
    if (size > this.bytes.length - this.at) throw new MsgpackError("it ends too early");
    this.at += size;
    return this.at - size;
  }

  value(depth = 0) {
    const lead = this.bytes[this.take(1)];
    if (lead < 0x80) return lead;
    if (lead >= 0xe0) return lead - 0x100;
    if (lead < 0x90) return this.map(lead & 15, depth);
    if (lead < 0xa0) return this.list(lead & 15, depth);
    if (lead < 0xc0) return this.text(lead & 31);
    switch (lead) {
      case 0xc0: return null;
      case 0xc2: return false;
      case 0xc3: return true;
      case 0xc4: case 0xc5: case 0xc6: return this.part(this.size(lead - 0xc4));
      case 0xca: return new Real(this.view.getFloat32(this.take(4)));
      case 0xcb: return new Real(this.view.getFloat64(this.take(8)));
      case 0xcc: case 0xcd: case 0xce: return this.size(lead - 0xcc);
      case 0xcf: return Number(this.view.getBigUint64(this.take(8)));
      case 0xd0: return this.view.getInt8(this.take(1));
      case 0xd1: return this.view.getInt16(this.take(2));
      case 0xd2: return this.view.getInt32(this.take(4));
      case 0xd3: return Number(this.view.getBigInt64(this.take(8)));
      case 0xd9: case 0xda: case 0xdb: return this.text(this.size(lead - 0xd9));
      case 0xdc: case 0xdd: return this.list(this.size(lead - 0xdb), depth);
      case 0xde: case 0xdf: return this.map(this.size(lead - 0xdd), depth);
    }
    throw new MsgpackError(`a byte 0x${lead.toString(16)}, expected no extension and nothing reserved`);
  }

  size(power) {
    const at = this.take(1 << power);
    return power === 0 ? this.view.getUint8(at) : power === 1 ? this.view.getUint16(at) : this.view.getUint32(at);
  }

  part(size) {
    const at = this.take(size);
    return this.bytes.subarray(at, at + size);
  }

  text(size) {
    const part = this.part(size);
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(part);
    } catch {
      throw new MsgpackError("a string that is not UTF-8");
    }
  }

  list(count, depth) {
    this.enter(count, depth);
    return Array.from({ length: count }, () => this.value(depth + 1));
  }

  map(count, depth) {
    this.enter(count, depth);
    const map = Object.create(null); // so that no key, "__proto__" among them, means more than itself
    for (let i = 0; i < count; i++) {
      const key = this.value(depth + 1);
      if (typeof key !== "string") throw new MsgpackError("a map's key that is no string");
      map[key] = this.value(depth + 1);
    }
    return map;
  }

  enter(count, depth) {
    if (depth >= DEPTH) throw new MsgpackError(`nested too deep, expected at most ${DEPTH} levels`);
    if (count > ITEMS) throw new MsgpackError(`${count} entries, expected at most ${ITEMS}`);
    if (count > this.bytes.length - this.at) throw new MsgpackError("it ends too early");
  }
}
