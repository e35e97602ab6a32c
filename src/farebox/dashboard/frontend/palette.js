/** The colours and the font of the page, as its style sheet has them at the time. */
const SERIES_MAX = 8;

export function readPalette(parent) {
  // A browser resolves a variable only where it is used.
  const probe = document.createElement("span");
  probe.hidden = true;
  parent.append(probe);
  const read = (property, variable) => {
    probe.style.setProperty(property, `var(${variable})`);
    return getComputedStyle(probe).getPropertyValue(property);
  };
  const palette = {
    series: Array.from({ length: SERIES_MAX }, (_, place) => read("color", `--chart-${place + 1}`)),
    ink: read("color", "--ink"),
    soft: read("color", "--soft"),
    line: read("color", "--line"),
    paper: read("color", "--paper"),
    font: read("font-family", "--font"),
  };
  probe.remove();
  return palette;
}

/** Calls back when the theme changes: by `data-theme` on the root, or with the system's. */
export function onThemeChange(callback) {
  const root = document.documentElement;
  new MutationObserver(callback).observe(root, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", callback);
}
