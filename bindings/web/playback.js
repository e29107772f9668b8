// One line as a page plays it. The sound is the clock: what is heard says which face, picture and word are shown, how
// much credit is due, and when the line is over. It ports npc_engine/playback.py to WebAudio.

const RATE = 24_000;
const TICK_SAMPLES = 480;
const TICK_MS = 20;
const AHEAD_MS = 600; // how far ahead of what is heard the engine may send
const LEAST_CREDIT_MS = 40;
const LEAD_S = 0.04; // from the coming of the first sound, or of sound after a gap, to its playing
const FADE_S = 0.005; // a cut without a click
const EASE_S = 0.1; // from the last face to the one at rest
const WAKE_S = 0.04; // and back, when sound goes on after a gap
const KEPT_TICKS = 50;

/** The AudioContext for `Playback`: at the engine's rate, so that one line's pieces join without a seam. */
export function audio() {
  return new AudioContext({ sampleRate: RATE, latencyHint: "interactive" });
}

/** Feed it the line's messages with `add`; ask it with `at` what to show, once a frame. */
export class Playback {
  words = [];
  over = null; // the message that ended the line: end, cancelled or error
  missing = 0; // samples of silence in the middle of the line, because nothing had come
  scheduled = 0; // samples given to the sound device
  peak = 0; // the loudest of them, 0…32767

  #context;
  #grant;
  #gain;
  #pieces = []; // {frame, sample, samples}: from which frame of the context on which samples of the line sound
  #sources = new Set();
  #granted;
  #ahead;
  #received = 0; // ticks
  #faces = []; // {tick, values}
  #pictures = []; // {sample, image}
  #rest = null;
  #cut = null; // the sample that was heard last
  #closed = 1; // how far the face has eased into the one at rest
  #lookedAt;

  /**
   * `grant(ms)` sends credit; `granted` is what `speak` gave, `ahead` how far ahead of the heard the engine may be. Give
   * 0 while the context does not run yet, as before its user's first click: the credit follows when it does.
   */
  constructor(context, grant, { granted = 600, ahead = AHEAD_MS } = {}) {
    this.#context = context;
    this.#grant = grant;
    this.#granted = granted;
    this.#ahead = ahead;
    this.#lookedAt = context.currentTime;
    this.#gain = context.createGain();
    this.#gain.connect(context.destination);
  }

  /** Where the sound goes, for who wants to draw it. */
  get output() {
    return this.#gain;
  }

  add(message) {
    if (message.kind === "accepted") this.#rest = imageOf(message.picture);
    else if (message.kind === "words") this.words.push(...message.words);
    else if (message.kind === "moment" && this.#cut === null) this.#take(message);
    else if (message.kind === "end" || message.kind === "cancelled" || (message.kind === "error" && message.ends)) {
      this.over = message;
      if (message.kind === "cancelled") this.cut();
    }
  }

  #take({ tick, ticks, sound, coefficients, picture, picture_tick }) {
    if (tick !== this.#received) throw new Error(`moment of tick ${tick}, expected ${this.#received}`);
    this.#received += ticks;
    this.#schedule(sound ?? new Int16Array(ticks * TICK_SAMPLES)); // without sound it plays as silence of its length
    const width = coefficients ? coefficients.length / ticks : 0;
    for (let i = 0; i < ticks && coefficients; i++) {
      this.#faces.push({ tick: tick + i, values: coefficients.subarray(i * width, (i + 1) * width) });
    }
    if (picture) this.#pictures.push({ sample: picture_tick * TICK_SAMPLES, image: imageOf(picture) });
  }

  /** Give sound to the device, at the sample after what it has; later, after a silence, if that has passed already. */
  #schedule(pcm) {
    const last = this.#pieces.at(-1);
    const now = this.#context.currentTime * RATE;
    let piece = last;
    if (!last || last.frame + last.samples < now) {
      const frame = Math.ceil(now + LEAD_S * RATE);
      if (last) this.missing += frame - last.frame - last.samples;
      piece = { frame, sample: last ? last.sample + last.samples : 0, samples: 0 };
      this.#pieces.push(piece);
    }
    const buffer = this.#context.createBuffer(1, pcm.length, RATE);
    const floats = buffer.getChannelData(0);
    for (let i = 0; i < pcm.length; i++) {
      floats[i] = Math.max(pcm[i] / 32_767, -1);
      this.peak = Math.max(this.peak, Math.abs(pcm[i]));
    }
    const source = this.#context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.#gain);
    source.start((piece.frame + piece.samples) / RATE);
    source.onended = () => {
      this.#sources.delete(source);
      this.#pay(); // here too: a page in the background draws no frames
    };
    this.#sources.add(source);
    piece.samples += pcm.length;
    this.scheduled += pcm.length;
  }

  /** Which frame of the context comes out of the loudspeaker now. */
  #hearing() {
    const { currentTime, baseLatency = 0, outputLatency = 0 } = this.#context;
    return Math.floor((currentTime - baseLatency - outputLatency) * RATE);
  }

  /** The sample of the line that is heard now; it stands still in gaps, after the end and after a cut. */
  get heard() {
    if (this.#cut !== null) return this.#cut;
    const now = this.#hearing();
    const piece = this.#pieces.findLast(({ frame }) => frame <= now);
    return piece ? piece.sample + Math.min(now - piece.frame, piece.samples) : 0;
  }

  /** Whether its sound has begun to be heard. */
  get begun() {
    return this.#pieces.length > 0 && this.#pieces[0].frame <= this.#hearing();
  }

  /** Milliseconds of sound that are there and not heard yet. */
  get aheadMs() {
    return Math.max(0, this.#received * TICK_MS - Math.floor(this.heard / (RATE / 1000)));
  }

  /** Grant what is due, so that the engine may send `ahead` beyond what is heard. */
  #pay() {
    if (this.over || this.#cut !== null || this.#context.state !== "running") return;
    const heardMs = Math.floor(this.heard / (RATE / 1000));
    const due = Math.floor((heardMs + this.#ahead - this.#granted) / TICK_MS) * TICK_MS;
    if (due < LEAST_CREDIT_MS) return;
    this.#granted += due;
    this.#grant(due);
  }

  /** Stop here and now, after a fade; the sample that was heard last, for `cancel`. */
  cut() {
    if (this.#cut !== null) return this.#cut;
    this.#cut = this.heard;
    const now = this.#context.currentTime;
    this.#gain.gain.setValueAtTime(1, now);
    this.#gain.gain.linearRampToValueAtTime(0, now + FADE_S);
    for (const source of this.#sources) source.stop(now + FADE_S);
    return this.#cut;
  }

  /**
   * What to show now: `face` (Float32Array, or null before there is one), `image` (or null), `word` (index into
   * `words`, −1 before the first), and `finished`, when the line was heard or cut and the face has come to rest.
   */
  at() {
    this.#pay();
    const sample = this.heard;
    const resting = this.#cut !== null || sample >= this.#received * TICK_SAMPLES;
    const now = this.#context.currentTime;
    const step = (now - this.#lookedAt) / (resting ? EASE_S : -WAKE_S);
    this.#closed = Math.min(1, Math.max(0, this.#closed + step));
    this.#lookedAt = now;
    const tick = Math.floor(sample / TICK_SAMPLES);
    while (this.#faces.length > 1 && this.#faces[0].tick < tick - KEPT_TICKS) this.#faces.shift();
    while (this.#pictures[1]?.sample <= sample && this.#pictures[1].image.ready) {
      this.#pictures.shift().image.ready?.close();
    }
    const shown = this.#pictures[0]?.sample <= sample ? this.#pictures[0] : null;
    const image = shown && !(this.#closed >= 0.5 && this.#rest) ? shown.image : this.#rest;
    return {
      face: this.#face(tick, (sample % TICK_SAMPLES) / TICK_SAMPLES),
      image: image?.ready ?? null,
      word: this.words.findLastIndex((word) => word.start <= sample),
      finished: (this.over !== null || this.#cut !== null) && resting && this.#closed === 1,
    };
  }

  /** The coefficients between two ticks, eased towards rest. */
  #face(tick, share) {
    if (!this.#faces.length) return null;
    const first = this.#faces[0].tick;
    const last = this.#faces.length - 1;
    const now = this.#faces[Math.min(Math.max(tick - first, 0), last)].values;
    const next = this.#faces[Math.min(Math.max(tick + 1 - first, 0), last)].values;
    return now.map((value, i) => (value + (next[i] - value) * share) * (1 - this.#closed));
  }
}

/** An image that is being decoded; `ready` is null until it is. One that can't be shown leaves the one before. */
function imageOf(bytes) {
  if (!bytes) return null;
  const image = { ready: null };
  createImageBitmap(new Blob([bytes])).then(
    (bitmap) => (image.ready = bitmap),
    (error) => console.error(`a picture of ${bytes.length} bytes can't be shown: ${error.message}`),
  );
  return image;
}
