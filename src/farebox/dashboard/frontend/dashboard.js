/** The start of every page. Pages work without it: each part adds to what is there. */
import { bindConfirmations } from "./confirm.js";
import { bindCopyButtons } from "./copy.js";
import { bindLink } from "./link.js";
import { bindScrollers } from "./scroller.js";
import { bindSubmits } from "./submit.js";

bindSubmits(document);
bindConfirmations(document);
bindCopyButtons(document);
bindScrollers(document);
bindLink(document);
drawFigures();

/** Charts are large, so they are fetched only by pages that have one. */
async function drawFigures() {
  const figures = document.querySelectorAll("figure[data-chart]");
  if (!figures.length) return;
  const { drawFigure } = await import("./chart.js");
  figures.forEach(drawFigure);
}
