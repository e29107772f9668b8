// A bar for each of the 50 coefficients: weights upwards from the ground, angles from the middle line both ways.

const COLOURS = { jaw: "#e0a458", mouth: "#d9795d", cheek: "#c78fb0", nose: "#9f8fd0", brow: "#6f9fd8", eye: "#62b6b7", tongue: "#8fbf6b", gaze: "#c9c6bf", head: "#9a9ca5" };
const FIRST_ANGLE = 45;
const ANGLE = 0.6; // radians at the top
const LABEL = 26; // pixels of the names of groups

/** Draws `values`, in the order of `names`, into a canvas. */
export function drawBars(canvas, names, values) {
  const pen = canvas.getContext("2d");
  const { width, height } = canvas;
  const ground = height - LABEL;
  const step = width / names.length;
  pen.clearRect(0, 0, width, height);
  pen.font = "17px system-ui, sans-serif";
  pen.fillStyle = "#2e323c";
  for (const share of [0, 0.5, 1]) pen.fillRect(0, Math.round(ground * (1 - share)) - (share ? 0 : 1), width, 1);
  let group = "";
  names.forEach((name, i) => {
    const part = name.match(/^[a-z]+/)[0];
    const value = values ? values[i] : 0;
    pen.fillStyle = COLOURS[part] ?? COLOURS.head;
    const x = i * step + 1.5;
    if (i < FIRST_ANGLE) {
      const size = Math.max(2, Math.min(1, Math.max(0, value)) * ground);
      pen.fillRect(x, ground - size, step - 3, size);
    } else {
      const size = Math.max(-1, Math.min(1, value / ANGLE)) * (ground / 2);
      pen.fillRect(x, size > 0 ? ground / 2 - size : ground / 2, step - 3, Math.max(2, Math.abs(size)));
    }
    if (part !== group && (group = part) && part !== "nose" && part !== "gaze") pen.fillText(part, i * step + 1, height - 6);
  });
}
