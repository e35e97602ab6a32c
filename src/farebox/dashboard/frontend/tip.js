/** What is told of one place on the axis. Every number is one of the given texts. */
import { make, makeSwatch } from "./element.js";
import { PREVIOUS } from "./legend.js";

export function makeTip(data, hidden, index) {
  const rows = data.series
    .map(({ name, texts }, place) => [place, name, texts[index]])
    .filter(([place]) => !hidden.has(place))
    .map((row) => makeRow(...row));
  // The total is that of all series.
  if (rows.length === data.series.length) {
    rows.push(makeRow(null, data.texts.total, data.totals[index]));
  }
  if (data.previous && !hidden.has(PREVIOUS) && index < data.previous.texts.length) {
    const { texts, titles } = data.previous;
    rows.push(makeRow(PREVIOUS, titles[index], texts[index]));
  }
  return make("div", "chart-tip", make("p", "chart-tip-title", data.titles[index]), ...rows);
}

function makeRow(place, name, text) {
  const swatch = place === null ? make("span", "chart-swatch") : makeSwatch(place);
  const parts = [swatch, make("span", "chart-tip-name", name), make("span", "chart-tip-text", text)];
  return make("p", place === null ? "chart-tip-total" : "chart-tip-row", ...parts);
}
