/* A roll has no pages: the page of a 58 mm printer is as long as what stands on it.
   Without this file a slip is a page of 58 × 160 mm. */
"use strict";

let rollRule = null;

/* `papers` are printed one after the other, each on a page of its own. */
function fitRoll(papers) {
  const heights = [...papers].map((paper) => paper.getBoundingClientRect().height);
  const millimetres = Math.ceil(Math.max(...heights) * 25.4 / 96) + 8;
  if (!rollRule) {
    rollRule = new CSSStyleSheet();
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, rollRule];
  }
  rollRule.replaceSync("@page { size: 58mm " + millimetres + "mm; margin: 3mm 5mm; }");
}

window.addEventListener("beforeprint", () => {
  const slip = document.querySelector("body.roll main");
  if (slip) fitRoll([slip]);
});
