// node ulipsync.mjs PACKAGES FOLDER COUNT: uLipSync (wLipSync, its WebAssembly port) with its default settings.
//
// It compares the MFCC of what it hears with those of a profile, which each user makes by calibration: the library's
// own MFCC of held sounds. calibration.json of the folder names the sounds, in the order of calibration.f32, whose rows
// are one analysis window each (mono f32 at RATE, f32[sounds * repeats, WINDOW]).
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { RATE, run } from "./worklet.mjs";

const [packages, folder, count] = process.argv.slice(2);
const dist = join(packages, "node_modules", "wlipsync", "dist");
const wasm = new WebAssembly.Module(readFileSync(join(dist, "wlipsync.wasm")));

// uLipSync's own defaults for a new profile; compareMethod 1 is the L2 norm
const SETTINGS = {
  targetSampleRate: 16000, sampleCount: 1024, melFilterBankChannels: 30, compareMethod: 1, useStandardization: false,
};
const COEFFICIENTS = 12;
const WINDOW = (SETTINGS.sampleCount * RATE) / SETTINGS.targetSampleRate;

function calibrated() {
  const { sounds, repeats } = JSON.parse(readFileSync(join(folder, "calibration.json"), "utf-8"));
  const bytes = readFileSync(join(folder, "calibration.f32"));
  const windows = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  const memory = new WebAssembly.Memory({ initial: 4 });
  const library = new WebAssembly.Instance(wasm, { env: { memory } }).exports;
  const { targetSampleRate, sampleCount, melFilterBankChannels, compareMethod } = SETTINGS;
  // 12 entries: the library computes as many coefficients as the profile has entries
  library.load_profile(targetSampleRate, sampleCount, melFilterBankChannels, compareMethod, COEFFICIENTS, 1, 0);
  library.set_input(RATE);
  const input = new Float32Array(memory.buffer, library.get_input_buffer(), library.get_input_buffer_size());
  const found = new Float32Array(memory.buffer, library.mfccOut.value, COEFFICIENTS);
  const mfccs = sounds.map((name, sound) => {
    const mfccCalibrationDataList = Array.from({ length: repeats }, (_, repeat) => {
      const first = (sound * repeats + repeat) * WINDOW;
      input.set(windows.subarray(first, first + WINDOW));
      library.execute(WINDOW);
      return { array: Array.from(found) };
    });
    return { name, mfccCalibrationDataList };
  });
  return { ...SETTINGS, mfccNum: COEFFICIENTS, mfccDataCount: repeats, mfccs };
}

const profile = calibrated();
const { WLipSyncAudioNode } = await import(pathToFileURL(join(dist, "wlipsync.js")));
let fresh = 0;

await run(folder, Number(count), async () => {
  // the ring buffer belongs to the module, so each sound gets the module anew
  await import(`${pathToFileURL(join(dist, "audio-processor.js"))}?${fresh++}`);
  const node = new WLipSyncAudioNode(null, profile, wasm);
  while (node.processor.exports === null || node.processor.volumeView === null) {
    await new Promise((resume) => setImmediate(resume));
  }
  const names = Object.keys(node.weights);
  return { node, names, read: () => names.map((name) => node.weights[name] * node.volume) };
});
