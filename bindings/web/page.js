// The page that the gateway serves at "/": pick a character, let it speak, watch its face and its coefficients.

import { drawBars } from "./bars.js";
import { Engine } from "./npc_engine.js";
import { Playback, audio } from "./playback.js";

const $ = (id) => document.getElementById(id);
const ALIVE_MS = 200; // of a line without text ahead: what has been sent of it is shown before the next one begins

const context = audio();
const pen = $("picture").getContext("2d");
let engine = null;
let names = []; // of the coefficients
let npc = null; // the character that is shown
let shown = null; // {playback, line, asked, …} that is seen and heard now
let next = null; // that replaces it with its first sample
const counted = { from: 0, pictures: 0, image: null };

// what tests and consoles look at
window.page = { get shown() { return shown; }, get engine() { return engine; }, context, lines: [], faces: 0, last: null };

// ── the engine ────────────────────────────────────────────────────────────────────────────────────────────────────

function connect() {
  engine?.close();
  // the fragment of an address is neither sent nor logged by anybody
  const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? sessionStorage.getItem("token") ?? "";
  if (token) sessionStorage.setItem("token", token);
  if (location.hash) history.replaceState(null, "", location.pathname);
  const url = new URL(".", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  engine = new Engine(url.href, { client: "web page", token });
  engine.onstate = (state, text) => {
    $("state").textContent = state === "lost" ? `no engine: ${text}` : `${state}: ${text}`;
    $("state").className = state;
    $("speak").disabled = state !== "connected";
    $("door").hidden = state !== "lost";
  };
  engine.onmessage = (message) => {
    if (message.kind === "welcome") {
      names = message.channels;
      engine.send({ kind: "list" });
    } else if (message.kind === "npcs") showCast(message.npcs);
    else if (message.kind === "error") note(`${message.code}: ${message.text}`);
  };
}

function showCast(npcs) {
  const seen = npcs.filter((entry) => entry.face);
  const heard = npcs.filter((entry) => !entry.face);
  $("cast").replaceChildren(...seen.map((entry) => buttonOf(entry)), ...(heard.length ? [selectOf(heard)] : []));
  const chosen = npcs.find((entry) => entry.name === npc?.name) ?? seen[0] ?? heard[0];
  if (chosen) choose(chosen);
  else note("the engine has no characters");
}

function buttonOf(entry) {
  const button = document.createElement("button");
  Object.assign(button, { type: "button", textContent: entry.name, title: entry.about, onclick: () => choose(entry) });
  return button;
}

function selectOf(entries) {
  const select = document.createElement("select");
  select.ariaLabel = "Voices without a face";
  select.append(new Option("voices without a face", ""), ...entries.map((entry, i) => new Option(entry.name, i)));
  select.onchange = () => select.value && choose(entries[select.value]);
  return select;
}

function choose(entry) {
  stop();
  npc = entry;
  for (const button of $("cast").querySelectorAll("button")) button.ariaPressed = button.textContent === npc.name;
  const select = $("cast").querySelector("select");
  if (select && npc.face) select.value = "";
  $("name").textContent = npc.name;
  $("about").textContent = npc.about;
  clear();
  live();
}

// ── lines ─────────────────────────────────────────────────────────────────────────────────────────────────────────

function outputs() {
  const picture = npc.face ? Number($("size").value) : 0;
  return { picture, picture_every: 2 };
}

/** Ask for a line and play it; it is shown from its first sample on. */
function begin(keys, ahead) {
  const asked = performance.now();
  const granted = context.state === "running" ? ahead : 0;
  const playback = new Playback(context, (ms) => engine.credit(line, ms), { granted, ahead });
  const one = { playback, text: keys.text ?? "", asked, firstMs: null, ended: null, marked: -1 };
  const line = engine.speak({ npc: npc.name, credit_ms: granted, ...keys }, (message) => {
    if (message.kind === "moment" && one.firstMs === null) one.firstMs = performance.now() - asked;
    if (message.kind === "error") note(`${message.code}: ${message.text}`);
    playback.add(message);
    if (playback.over) one.ended ??= playback.over.kind;
  });
  one.line = line;
  next = one;
  return one;
}

/** Between lines the character lives, if it has a face and the engine knows how. */
function live() {
  if (!npc.face || !outputs().picture || !engine.can("attitude")) return;
  begin({ attitude: "listening", outputs: { ...outputs(), sound: false, words: false } }, ALIVE_MS);
}

function speak() {
  const text = $("text").value.trim();
  if (!text) return note("write something for it to say");
  note("");
  if (shown?.text || next?.text) stop();
  const one = begin({ text, style: $("style").value, emotion: $("emotion").value, outputs: outputs() }, 600);
  window.page.lines.push(one);
  $("subtitles").replaceChildren(...text.split(/(\s+)/).map(spanOf(one)));
  $("cancel").disabled = false;
  context.resume();
}

/** Elements of a text's words; each knows where it begins, in Unicode characters as the engine counts them. */
function spanOf(one) {
  let at = 0;
  one.spans = [];
  return (piece) => {
    const span = document.createElement("span");
    span.textContent = piece;
    const first = at;
    at += [...piece].length;
    one.spans.push({ span, first, last: at });
    return span;
  };
}

/** Cut what is shown and what waits; the mouth eases shut. */
function stop() {
  for (const one of [shown, next]) {
    if (!one || one.playback.over) continue;
    engine.cancel(one.line, one.playback.cut());
  }
  if (next) next = null;
}

// ── one frame ─────────────────────────────────────────────────────────────────────────────────────────────────────

function frame() {
  requestAnimationFrame(frame);
  if (next && (next.playback.begun || !shown)) [shown, next] = [next, null];
  else if (next) next.playback.at(); // it pays its credit
  if (!shown) return;
  const now = shown.playback.at();
  if (now.image) draw(now.image);
  drawBars($("bars"), names, now.face);
  if (now.face) {
    window.page.faces += 1;
    window.page.last = now.face;
    $("loudest").textContent = loudest(now.face);
  }
  if (shown.text) tell(now);
  if (now.finished && shown.text) finish();
  else if (now.finished) shown = null;
}

function draw(image) {
  if (image !== counted.image) {
    counted.image = image;
    counted.pictures += 1;
  }
  const now = performance.now();
  if (now - counted.from > 1000) {
    $("fps").textContent = `${Math.round((counted.pictures * 1000) / (now - counted.from))} / s`;
    Object.assign(counted, { from: now, pictures: 0 });
  }
  pen.clearRect(0, 0, 512, 512);
  pen.drawImage(image, 0, 0, 512, 512);
}

function loudest(face) {
  const index = face.slice(0, 45).reduce((best, value, i, all) => (value > all[best] ? i : best), 0);
  return face[index] > 0.05 ? `${names[index]} ${face[index].toFixed(2)}` : "";
}

function tell(now) {
  const { playback, firstMs } = shown;
  $("first").textContent = firstMs === null ? "–" : `${Math.round(firstMs)} ms`;
  $("heard").textContent = `${(playback.heard / 24_000).toFixed(1)} s`;
  $("ahead").textContent = `${Math.round(playback.aheadMs)} ms`;
  $("missing").textContent = `${Math.round(playback.missing / 24)} ms`;
  if (now.word === shown.marked) return;
  shown.marked = now.word;
  const word = playback.words[now.word];
  for (const { span, first, last } of shown.spans) {
    span.className = word && first < word.last && last > word.first ? "now" : word && last <= word.first ? "said" : "";
  }
}

function finish() {
  for (const { span } of shown.spans) span.className = "said";
  shown = null;
  if (next?.text) return;
  $("cancel").disabled = true;
  if (!next) live();
}

function clear() {
  pen.clearRect(0, 0, 512, 512);
  if (!npc.face) {
    pen.font = "18px system-ui, sans-serif";
    pen.fillStyle = "#6f727c";
    pen.textAlign = "center";
    pen.fillText("a voice without a face: its coefficients drive yours", 256, 262);
  }
  drawBars($("bars"), names, null);
  $("subtitles").replaceChildren();
  $("cancel").disabled = true;
  for (const id of ["first", "heard", "ahead", "fps", "missing"]) $(id).textContent = "–";
}

function note(text) {
  $("note").textContent = text;
}

$("form").onsubmit = (event) => {
  event.preventDefault();
  speak();
};
$("cancel").onclick = stop;
$("size").onchange = () => choose(npc);
$("text").onkeydown = (event) => {
  if (event.key === "Enter" && !event.shiftKey) $("form").requestSubmit();
  if (event.key === "Enter" && !event.shiftKey) event.preventDefault();
};
$("door").onsubmit = (event) => {
  event.preventDefault();
  sessionStorage.setItem("token", $("token").value.trim());
  connect();
};
connect();
requestAnimationFrame(frame);
