/** The legend: a button for each series, which hides it and shows it again. */
import { make, makeSwatch } from "./element.js";

/** The place of what came before among the series. */
export const PREVIOUS = "previous";

export function makeLegend(data, hidden, onChange) {
  const entries = data.series.map(({ name }, place) => makeEntry(name, place));
  if (data.previous) entries.push(makeEntry(data.previous.name, PREVIOUS));
  return make("ul", "chart-legend", ...entries);

  function makeEntry(name, place) {
    const button = make("button", "chart-entry", makeSwatch(place), name);
    button.type = "button";
    button.setAttribute("aria-pressed", "true");
    button.addEventListener("click", () => {
      const isShown = hidden.delete(place);
      if (!isShown) hidden.add(place);
      button.setAttribute("aria-pressed", String(isShown));
      onChange();
    });
    return make("li", "", button);
  }
}
