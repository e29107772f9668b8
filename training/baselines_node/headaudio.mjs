// node headaudio.mjs PACKAGES FOLDER COUNT: HeadAudio's shipped English model with its default settings.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { run } from "./worklet.mjs";

const [packages, folder, count] = process.argv.slice(2);
const dist = join(packages, "node_modules", "@met4citizen", "headaudio", "dist");
await import(pathToFileURL(join(dist, "headworklet.min.mjs")));
const { HeadAudio } = await import(pathToFileURL(join(dist, "headaudio.min.mjs")));
const model = `data:application/octet-stream;base64,${readFileSync(join(dist, "model-en-mixed.bin"), "base64")}`;

await run(folder, Number(count), async () => {
  const node = new HeadAudio(null);
  await node.loadModel(model);
  const names = node.visemeNames;
  const values = new Float32Array(names.length);
  node.onvalue = (name, value) => {
    values[names.indexOf(name)] = value;
  };
  const read = () => {
    node.update(20); // what a game's drawing loop calls: milliseconds since the last picture
    return values;
  };
  return { node, names: names.map((name) => name.replace("viseme_", "")), read };
});
