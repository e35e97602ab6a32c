/**
 * Draws `<figure data-chart>` from the JSON in it, below which it puts a legend and the chart.
 *
 * The JSON, whose texts are in the reader's language and whose values are for drawing only:
 *
 *   {"labels": ["Mar 1", …], "titles": ["Sunday, 1 March 2026", …],
 *    "series": [{"name": "People search", "values": [12.5, …], "texts": ["12.5", …]}, …],
 *    "totals": ["20", …],
 *    "previous": {"name": …, "values": […], "texts": […], "titles": […]} or null,
 *    "texts": {"total": "Total", "empty": "Nothing was used."}}
 *
 * The series (8 at most) are stacked bars, what came before is a line. The figure has a table with
 * the same numbers, so the picture is hidden from screen readers. `data-chart` is "drawn", or
 * "empty", once it is.
 */
import { init } from "./engine.js";
import { make } from "./element.js";
import { makeLegend } from "./legend.js";
import { makeOption } from "./option.js";
import { onThemeChange, readPalette } from "./palette.js";

export function drawFigure(figure) {
  const source = figure.querySelector('script[type="application/json"]');
  const data = JSON.parse(source.textContent);
  if (isEmpty(data)) {
    source.after(make("p", "chart-empty", data.texts.empty));
    figure.dataset.chart = "empty";
    return;
  }
  const box = make("div", "chart-box");
  box.setAttribute("aria-hidden", "true");
  const hidden = new Set();
  source.after(makeLegend(data, hidden, draw), box);

  const chart = init(box);
  chart.on("finished", () => {
    figure.dataset.chart = "drawn";
  });
  function draw() {
    chart.setOption(makeOption(data, hidden, readPalette(figure)), { notMerge: true });
  }
  draw();
  onThemeChange(draw);
  new ResizeObserver(() => chart.resize()).observe(box);
}

function isEmpty({ series, previous }) {
  return ![...series, previous].some((one) => one?.values.some((value) => value > 0));
}
