/**
 * Bundles the dashboard's scripts: `node bundle.mjs WORK OUT INPUTS`.
 *
 * WORK holds node_modules. OUT gets the scripts, named after their contents, the licences of what is
 * in them, manifest.json with the file of each script that a page may name, and at last made.json,
 * which says what all was made of: INPUTS.
 */
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";

const MADE = "made.json";
const MANIFEST = "manifest.json";
const LICENCES = "third-party.txt";
const LICENCE_FILE = /^(licen[cs]e|notice)/i;

const [work, out, inputs] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const modules = join(work, "node_modules");
const { build } = createRequire(join(work, "package.json"))("esbuild");

// What a page loads only when it needs it is a bundle of its own.
const chart = await bundle("chart.js");
const start = await bundle("dashboard.js", { "./chart.js": `./${chart.file}` });
const files = [chart.file, start.file];

await writeFile(join(out, LICENCES), await licences());
await writeJson(MANIFEST, { "chart.js": chart.file, "dashboard.js": start.file });
await writeJson(MADE, { inputs, files: [...files, LICENCES, MANIFEST].sort() });
await removeOthers([...files, LICENCES, MANIFEST, MADE]);

/** The file of a script and what is in it. `elsewhere` has the modules that it loads by itself. */
async function bundle(entry, elsewhere = {}) {
  const { metafile } = await build({
    absWorkingDir: here,
    banner: { js: `/* Licences: ${LICENCES} */` },
    bundle: true,
    charset: "utf8",
    entryNames: "[name]-[hash]",
    entryPoints: [join(here, entry)],
    format: "esm",
    legalComments: "none",
    logLevel: "error",
    metafile: true,
    minify: true,
    nodePaths: [modules],
    outdir: out,
    plugins: [leaveOut(elsewhere)],
    preserveSymlinks: true, // file names don't depend on where node_modules really lies
    target: "es2022",
  });
  const [path] = Object.keys(metafile.outputs);
  return { file: basename(path), inputs: Object.keys(metafile.inputs) };
}

function leaveOut(elsewhere) {
  const setup = ({ onResolve }) =>
    onResolve({ filter: /^\.\// }, ({ path }) =>
      path in elsewhere ? { path: elsewhere[path], external: true } : undefined,
    );
  return { name: "leave-out", setup };
}

/** What the packages in the bundle say of their licences. */
async function licences() {
  const texts = [];
  for (const name of packages()) {
    const folder = join(modules, name);
    const { version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    texts.push(`${"=".repeat(79)}\n${name} ${version}: ${license}\n${"=".repeat(79)}\n`);
    for (const path of (await readdir(folder, { recursive: true })).sort()) {
      if (LICENCE_FILE.test(basename(path)) && !path.includes("node_modules")) {
        texts.push(await readFile(join(folder, path), "utf8").catch(() => ""));
      }
    }
  }
  return texts.filter(Boolean).join("\n");
}

function packages() {
  const marker = `node_modules${sep}`;
  const paths = [...chart.inputs, ...start.inputs].filter((path) => path.includes(marker));
  const found = paths.map((path) => path.split(marker).at(-1).split(sep)[0]);
  return [...new Set(found)].sort();
}

/** At once, so that nobody reads the half of it. */
async function writeJson(name, value) {
  const path = join(out, name);
  await writeFile(`${path}.new`, `${JSON.stringify(value, null, 2)}\n`);
  await rename(`${path}.new`, path);
}

/** What an earlier bundle has left. */
async function removeOthers(kept) {
  for (const name of await readdir(out)) {
    if (!kept.includes(name)) await rm(join(out, name));
  }
}
