// Angular's packages are compiled half-way; its linker does the rest here, so that the page needs no compiler.

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createEs2015LinkerPlugin } from "@angular/compiler-cli/linker/babel";
import { NodeJSFileSystem, ConsoleLogger, LogLevel } from "@angular/compiler-cli";
import { transformAsync } from "@babel/core";
import { build } from "esbuild";

const linker = createEs2015LinkerPlugin({
  fileSystem: new NodeJSFileSystem(),
  logger: new ConsoleLogger(LogLevel.warn),
  linkerJitMode: false,
});

/** Loading Angular's modules has no effects, so esbuild may leave out computed values that no code uses. */
const pure = ({ types }) => ({
  visitor: {
    "CallExpression|NewExpression": (path) => {
      if (!path.getFunctionParent()) types.addComment(path.node, "leading", "#__PURE__");
    },
  },
});

const linked = {
  name: "linked",
  setup: ({ onLoad }) =>
    onLoad({ filter: /@angular[\\/].*\.mjs$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      const options = { filename: path, plugins: [linker, pure], compact: false, configFile: false };
      return { contents: (await transformAsync(source, options)).code };
    }),
};

const interceptor = await readFile("../../../docs/examples/session.interceptor.ts");
const digest = createHash("sha256").update(interceptor).digest("hex");

await build({
  entryPoints: ["entry.ts"],
  outfile: "angular.bundle.js",
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  legalComments: "none",
  banner: { js: `// session.interceptor.ts ${digest}` }, // a test sees whether it is the one of docs/examples
  nodePaths: ["node_modules"], // docs/examples has none beside it
  conditions: ["production"],
  mainFields: ["module", "main"],
  define: { ngDevMode: "false", ngJitMode: "false", ngI18nClosureMode: "false" },
  plugins: [linked],
  logLevel: "info",
});
