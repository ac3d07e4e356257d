// @ts-check
import { copyFile, mkdir, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { build, context } from 'esbuild';

const watch = process.argv.includes('--watch');
const production = process.argv.includes('--production');

const SQLITE_BINARY = 'node_modules/sqlite3/build/Release/node_sqlite3.node';

/** @type {import('esbuild').BuildOptions} */
const common = {
  bundle: true,
  minify: production,
  sourcemap: production ? false : 'linked',
  metafile: true,
  logLevel: 'warning',
  legalComments: 'none',
};

/** sqlite3 loads its binary through `bindings`, which searches the disk; the bundle names the file beside it instead. */
const sqliteBinary = {
  name: 'sqlite-binary',
  /** @param {import('esbuild').PluginBuild} build */
  setup(build) {
    build.onResolve({ filter: /sqlite3-binding(\.js)?$/ }, () => ({ path: 'sqlite3-binding', namespace: 'sqlite' }));
    build.onLoad({ filter: /.*/, namespace: 'sqlite' }, () => ({
      contents: `module.exports = require('./node_sqlite3.node')`,
      resolveDir: join(import.meta.dirname, 'dist/server'),
    }));
    build.onResolve({ filter: /node_sqlite3\.node$/ }, () => ({ path: './node_sqlite3.node', external: true }));
  },
};

/** Packages that `ws` takes when they are installed; it works without them. */
const optional = ['bufferutil', 'utf-8-validate'];

/** One entry per artefact; the name is the folder under dist/. @type {Record<'extension' | 'webview' | 'server' | 'chaos', import('esbuild').BuildOptions>} */
export const targets = {
  extension: {
    ...common,
    entryPoints: ['extension/src/extension.ts'],
    outfile: 'dist/extension/extension.cjs',
    platform: 'node',
    format: 'cjs',
    target: 'node22',
    external: ['vscode', ...optional],
  },
  webview: {
    ...common,
    entryPoints: [
      { in: 'webview-ui/src/main.tsx', out: 'main' },
      { in: 'webview-ui/src/styles/main.css', out: 'main' },
      { in: 'webview-ui/src/styles/browser.css', out: 'browser' },
      { in: 'webview-ui/index.html', out: 'index' },
    ],
    outdir: 'dist/webview',
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    loader: { '.html': 'copy' },
  },
  server: {
    ...common,
    entryPoints: ['server/src/main.ts'],
    outfile: 'dist/server/sandpiper.mjs',
    platform: 'node',
    format: 'esm',
    target: 'node20.11',
    external: optional,
    plugins: [sqliteBinary],
    // CommonJS packages inside an ES module need a `require`.
    banner: {
      js: `import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);`,
    },
  },
  chaos: {
    ...common,
    entryPoints: ['chaos/main.ts'],
    outfile: 'dist/chaos/chaos.mjs',
    platform: 'node',
    format: 'esm',
    target: 'node22',
    external: optional,
    // CommonJS packages inside an ES module need a `require`.
    banner: {
      js: `import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);`,
    },
  },
};

/** Puts what is not a module beside the bundles. */
export async function copyAssets() {
  await mkdir('dist/server', { recursive: true });
  if (existsSync(SQLITE_BINARY)) {
    await copyFile(SQLITE_BINARY, 'dist/server/node_sqlite3.node');
  } else {
    console.warn(
      'dist/server goes without the binary of sqlite3: the relay will use node:sqlite. See `npm run setup`.',
    );
  }
  await copyFile('server/src/journal/agent-run.sh', 'dist/server/agent-run.sh');
  await copyFile('chaos/standIn.sh', 'dist/chaos/standIn.sh');
}

if (process.argv[1] === import.meta.filename) {
  if (!watch) {
    await rm('dist', { recursive: true, force: true });
  }
  for (const options of Object.values(targets)) {
    await (watch ? (await context(options)).watch() : build(options));
  }
  await copyAssets();
}
