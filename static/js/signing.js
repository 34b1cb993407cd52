/* How a household says yes: a field to sign in, the digits of its card, or somebody who signs for it.
   The strokes are kept as an SVG path in a field of 300 × 90: a picture that prints sharp at any
   size and takes less room than a photo of it. */
"use strict";

function signing(pad) {
  const form = pad.closest("form");
  const field = form.elements.signature;
  const drawing = pad.querySelector("svg");
  const path = pad.querySelector("path");
  const clear = form.querySelector("[data-clear-pad]");
  let pen = false;
  const at = (event) => {
    const box = drawing.getBoundingClientRect();
    const x = Math.round((event.clientX - box.left) * 300 / box.width);
    const y = Math.round((event.clientY - box.top) * 90 / box.height);
    return Math.min(300, Math.max(0, x)) + "," + Math.min(90, Math.max(0, y));
  };
  const draw = (strokes) => {
    field.value = strokes.slice(0, 8000);
    path.setAttribute("d", field.value);
    clear.hidden = !field.value;
  };
  drawing.setAttribute("preserveAspectRatio", "none");
  draw(field.value);
  pad.addEventListener("pointerdown", (event) => {
    pen = true;
    pad.setPointerCapture(event.pointerId);
    draw(field.value + "M" + at(event));
    event.preventDefault();
  });
  pad.addEventListener("pointermove", (event) => { if (pen) draw(field.value + "L" + at(event)); });
  for (const end of ["pointerup", "pointercancel"])
    pad.addEventListener(end, () => { pen = false; });
  clear.addEventListener("click", () => draw(""));
  form.addEventListener("reset", () => setTimeout(() => draw(""), 0));
  const ways = () => {
    const chosen = form.querySelector("input[name=confirmation]:checked");
    const way = chosen ? chosen.value : "";
    pad.hidden = way !== "signature" && way !== "proxy";
    clear.hidden = pad.hidden || !field.value;
    form.elements.confirmed_by.closest(".field").hidden = way !== "proxy";
    form.elements.card_code.closest(".field").hidden = way !== "card_code";
  };
  form.addEventListener("change", ways);
  form.addEventListener("reset", () => setTimeout(ways, 0));
  ways();
}

document.addEventListener("DOMContentLoaded", () => {
  for (const pad of document.querySelectorAll("[data-pad]")) signing(pad);
});
