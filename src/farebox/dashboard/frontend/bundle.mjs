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

const { metafile } = await build({
  absWorkingDir: here,
  banner: { js: `/* Contains Apache ECharts; see ${LICENCES}. */` },
  bundle: true,
  charset: "utf8",
  chunkNames: "[name]-[hash]",
  entryNames: "[name]-[hash]",
  entryPoints: [join(here, "dashboard.js")],
  format: "esm",
  legalComments: "none",
  logLevel: "error",
  metafile: true,
  minify: true,
  nodePaths: [modules],
  outdir: out,
  preserveSymlinks: true, // file names don't depend on where node_modules really lies
  splitting: true,
  target: "es2022",
});

const files = Object.keys(metafile.outputs).map((path) => basename(path));
await writeFile(join(out, LICENCES), await licences());
await writeJson(MANIFEST, names());
await writeJson(MADE, { inputs, files: [...files, LICENCES, MANIFEST].sort() });
await removeOthers([...files, LICENCES, MANIFEST, MADE]);

/** {"dashboard.js": "dashboard-ABC.js"}: the start, and what it imports when it needs it. */
function names() {
  const found = Object.entries(metafile.outputs)
    .filter(([, output]) => output.entryPoint)
    .map(([path, output]) => [basename(output.entryPoint), basename(path)]);
  return Object.fromEntries(found.sort());
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
  const paths = Object.keys(metafile.inputs).filter((path) => path.includes(marker));
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
