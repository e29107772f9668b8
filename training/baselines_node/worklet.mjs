// As much of Web Audio as two lip sync libraries touch, driven by hand instead of by a sound card.
//
// Time is the number of samples fed. A message arrives at once: in a browser it takes a few milliseconds, so what is
// measured is never worse than what a user sees.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const RATE = 48000; // what a browser's AudioContext runs at
const QUANTUM = 128; // samples in one call of process(), fixed by Web Audio
const TICK = RATE / 50;

const registered = {};
globalThis.sampleRate = RATE;
globalThis.currentTime = 0;
globalThis.registerProcessor = (name, made) => {
  registered[name] = made;
};

let waiting = null; // the port of the node whose processor is being made

globalThis.AudioWorkletProcessor = class {
  constructor() {
    this.port = waiting;
  }
};

globalThis.AudioWorkletNode = class {
  constructor(_context, name, options = {}) {
    const [here, there] = [{ onmessage: null }, { onmessage: null }];
    here.postMessage = (data) => there.onmessage?.({ data });
    there.postMessage = (data) => here.onmessage?.({ data });
    this.port = here;
    waiting = there;
    this.processor = new registered[name](options);
    const given = options.parameterData ?? {};
    this.values = {};
    for (const each of registered[name].parameterDescriptors) {
      this.values[each.name] = new Float32Array([given[each.name] ?? each.defaultValue]);
    }
  }
};

// Feeds a sound and calls `shown` at the end of every tick that is whole, when all blocks that end within it were heard.
function play(node, sound, shown) {
  globalThis.currentTime = 0;
  let at = 0;
  for (let tick = 0; (tick + 1) * TICK <= sound.length; tick++) {
    for (; at + QUANTUM <= (tick + 1) * TICK; at += QUANTUM) {
      globalThis.currentTime = at / RATE;
      node.processor.process([[sound.subarray(at, at + QUANTUM)]], [], node.values);
    }
    shown();
  }
}

// Runs the sounds 0.f32, 1.f32, ... of a folder (mono f32 at RATE), each through a library fresh from `make`, which
// gives { node, names, read }: `read` gives one weight for each name. Writes 0.out ... as f32[ticks, names] and prints
// the names and the milliseconds of CPU time that each sound took, without loading.
export async function run(folder, count, make) {
  let names = [];
  const ms = [];
  for (let index = 0; index < count; index++) {
    const bytes = readFileSync(join(folder, `${index}.f32`));
    const sound = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
    const library = await make();
    names = library.names;
    const out = new Float32Array(Math.floor(sound.length / TICK) * names.length);
    let filled = 0;
    const began = process.cpuUsage();
    play(library.node, sound, () => {
      out.set(library.read(), filled);
      filled += names.length;
    });
    const { user, system } = process.cpuUsage(began);
    ms.push((user + system) / 1000);
    writeFileSync(join(folder, `${index}.out`), out);
  }
  console.log(JSON.stringify({ names, ms }));
}
