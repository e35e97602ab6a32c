/** A new element with a class, and a text or elements in it. Text is never read as HTML. */
export function make(tag, className, ...content) {
  const element = document.createElement(tag);
  element.className = className;
  element.append(...content);
  return element;
}

/** The spot in the colour of a series: its place from 0, or "previous". The style sheet paints it. */
export function makeSwatch(place) {
  const swatch = make("span", "chart-swatch");
  swatch.dataset.series = place;
  return swatch;
}
