/** What ECharts is told to draw. */
import { PREVIOUS } from "./legend.js";
import { makeTip } from "./tip.js";

const BAR_PX_MAX = 40;
const DRAWN_MS = 250;
const FONT_PX = 12;

export function makeOption(data, hidden, palette) {
  const text = { color: palette.soft, fontFamily: palette.font, fontSize: FONT_PX };
  return {
    animation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    animationDuration: DRAWN_MS,
    animationDurationUpdate: DRAWN_MS,
    grid: { left: 0, right: 0, top: 8, bottom: 0, outerBoundsMode: "same" },
    series: [...bars(data, hidden, palette), ...line(data, hidden, palette)],
    textStyle: text,
    tooltip: tooltip(data, hidden, palette),
    xAxis: {
      type: "category",
      data: data.labels,
      axisLabel: { ...text, hideOverlap: true },
      axisLine: { lineStyle: { color: palette.line } },
      axisTick: { show: false },
    },
    yAxis: {
      type: "value",
      axisLabel: { ...text, formatter: numberFormat() },
      splitLine: { lineStyle: { color: palette.line } },
    },
  };
}

function bars({ series }, hidden, palette) {
  const made = series.map(({ name, values }, place) => ({
    type: "bar",
    id: String(place),
    name,
    data: values,
    stack: "all",
    barMaxWidth: BAR_PX_MAX,
    barCategoryGap: "25%",
    emphasis: { disabled: true },
    itemStyle: { color: palette.series[place] },
  }));
  return made.filter((_, place) => !hidden.has(place));
}

function line({ previous }, hidden, palette) {
  if (!previous || hidden.has(PREVIOUS)) return [];
  return [
    {
      type: "line",
      id: PREVIOUS,
      name: previous.name,
      data: previous.values,
      emphasis: { disabled: true },
      lineStyle: { color: palette.ink, type: "dashed", width: 1.5 },
      showSymbol: false,
      symbol: "none",
    },
  ];
}

/** A box that ECharts places and we fill: markup of its own would bring styles of its own. */
function tooltip(data, hidden, palette) {
  return {
    trigger: "axis",
    axisPointer: { type: "shadow", shadowStyle: { color: palette.line, opacity: 0.5 }, z: 0 },
    backgroundColor: palette.paper,
    borderColor: palette.line,
    borderWidth: 1,
    confine: true,
    formatter: ([{ dataIndex }]) => makeTip(data, hidden, dataIndex),
    padding: 0,
    textStyle: { color: palette.ink, fontFamily: palette.font, fontSize: FONT_PX },
    transitionDuration: 0,
  };
}

/** The numbers beside the axis, short, in the language of the page. */
function numberFormat() {
  const format = new Intl.NumberFormat(document.documentElement.lang || undefined, {
    notation: "compact",
  });
  return (value) => format.format(value);
}
