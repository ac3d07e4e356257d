// @ts-check
import { copyFile, mkdir, readFile, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { build, context } from 'esbuild';
import { pageTexts } from './scripts/l10n/pageTexts.ts';

const watch = process.argv.includes('--watch');
const production = process.argv.includes('--production');

const SQLITE_BINARY = 'node_modules/sqlite3/build/Release/node_sqlite3.node';

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

/** Kinds of files that the relay serves. */
const SERVED = new Set(['html', 'js', 'mjs', 'css', 'json', 'map', 'svg', 'png', 'ico', 'ttf', 'woff2', 'txt']);

/**
 * Half of a relay would be data that it never looks at, read and compiled at each start: the character sets of a parser that
 * express offers and we do not use, zod's messages in forty languages, and the file types of the whole world.
 */
const withoutDeadWeight = {
  name: 'without-dead-weight',
  /** @param {import('esbuild').PluginBuild} build */
  setup(build) {
    const empty = { path: 'empty', namespace: 'empty' };
    build.onResolve({ filter: /^body-parser$/ }, () => empty);
    build.onResolve({ filter: /locales\/index\.js$/ }, ({ importer }) =>
      /[\\/]node_modules[\\/]zod[\\/]/.test(importer) ? empty : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: 'empty' }, () => ({ contents: '' }));
    build.onLoad({ filter: /[\\/]mime-db[\\/]db\.json$/ }, async ({ path }) => {
      /** @type {Record<string, { extensions?: string[] }>} */
      const all = JSON.parse(await readFile(path, 'utf8'));
      const served = Object.entries(all).filter(([, { extensions = [] }]) => extensions.some(name => SERVED.has(name)));
      return { contents: JSON.stringify(Object.fromEntries(served)), loader: 'json' };
    });
  },
};

/** What the client of Docker has for ways that Sandpiper does not go: over ssh (a binary each), and BuildKit's sessions. */
const dockerWithoutSsh = {
  name: 'docker-without-ssh',
  /** @param {import('esbuild').PluginBuild} build */
  setup(build) {
    build.onResolve({ filter: /^(ssh2|@grpc\/grpc-js|@grpc\/proto-loader)$/ }, ({ path, importer }) =>
      /[\\/](dockerode|docker-modem)[\\/]/.test(importer) ? { path, namespace: 'left-out' } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: 'left-out' }, () => ({ contents: 'module.exports = {};' }));
  },
};

/** What the client of Kubernetes copies files with; Sandpiper does that in another way, and takes no package under the Unlicense. */
const kubernetesWithoutCopy = {
  name: 'kubernetes-without-copy',
  /** @param {import('esbuild').PluginBuild} build */
  setup(build) {
    build.onResolve({ filter: /^(stream-buffers|tar-fs)$/ }, ({ path, importer }) =>
      /[\\/]@kubernetes[\\/]/.test(importer) ? { path, namespace: 'left-out' } : undefined,
    );
  },
};

/**
 * An `import` of a module of Node makes Node read everything that it exports. Of `node:http` that is also the WebSocket of
 * Node's own HTTP client, and of `node:crypto` all of WebCrypto: both are then loaded, a fifth of the time that a relay takes to
 * answer after a kill. `require` reads nothing.
 */
const builtinsByRequire = {
  name: 'builtins-by-require',
  /** @param {import('esbuild').PluginBuild} build */
  setup(build) {
    build.onResolve({ filter: /^(node:)?(http|crypto)$/ }, ({ path, namespace }) => {
      const name = path.replace('node:', '');
      return namespace === 'by-require'
        ? { path: `node:${name}`, external: true }
        : { path: name, namespace: 'by-require' };
    });
    build.onLoad({ filter: /.*/, namespace: 'by-require' }, ({ path }) => ({
      contents: `module.exports = require('node:${path}');`,
    }));
  },
};

/** A language is one file for every surface; the page carries only the texts that it can show. */
const textsOfPage = {
  name: 'texts-of-page',
  /** @param {import('esbuild').PluginBuild} build */
  setup(build) {
    build.onLoad({ filter: /[\\/]l10n[\\/]bundle\.l10n\.[\w-]+\.json$/ }, async ({ path }) => {
      const used = await pageTexts(import.meta.dirname);
      /** @type {Record<string, string>} */
      const all = JSON.parse(await readFile(path, 'utf8'));
      const shown = Object.entries(all).filter(([key]) => used.has(key));
      return { contents: JSON.stringify(Object.fromEntries(shown)), loader: 'json' };
    });
  },
};

/** Packages that `ws` takes when they are installed; it works without them. */
const optional = ['bufferutil', 'utf-8-validate'];

/** @type {import('esbuild').BuildOptions} */
const common = {
  bundle: true,
  minify: production,
  sourcemap: production ? false : 'linked',
  metafile: true,
  logLevel: 'warning',
  legalComments: 'none',
  plugins: [withoutDeadWeight],
};

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
    plugins: [withoutDeadWeight, textsOfPage],
  },
  server: {
    ...common,
    entryPoints: [{ in: 'server/src/main.ts', out: 'sandpiper' }],
    outdir: 'dist/server',
    outExtension: { '.js': '.mjs' },
    // What is loaded late comes as a file of its own, beside the others: they look for their data by their own folder.
    splitting: true,
    chunkNames: '[name]-[hash]',
    platform: 'node',
    format: 'esm',
    target: 'node20.11',
    external: optional,
    plugins: [withoutDeadWeight, builtinsByRequire, sqliteBinary, dockerWithoutSsh, kubernetesWithoutCopy],
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
