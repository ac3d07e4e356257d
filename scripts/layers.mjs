// @ts-check
/**
 * Who may import whom, and which npm package has its one home where. The most specific folder wins; what a row does not
 * list is an error. The lint rule `house/layers` reads this table for every import (types too); `check-bundles.mjs`
 * reads it for what an artefact may contain.
 *
 * @typedef {object} Layer
 * @property {string} folder   where the rule holds, from the repository's root
 * @property {string[]} may    folders or files that may be imported, besides the folder itself
 * @property {string[]} packages npm packages that may be imported
 * @property {boolean} node    whether node: modules exist there
 */

/** What every part of the relay may use. */
const base = ['protocol', 'server/src/core'];

/** @type {Layer[]} */
export const layers = [
  { folder: 'protocol', may: [], packages: ['zod'], node: false },
  { folder: 'client', may: ['protocol'], packages: ['ws'], node: true },
  // Brings a session's work into a folder of the user's, for whoever runs on that machine.
  { folder: 'landing', may: ['protocol', 'client/relayClient.ts'], packages: ['zod'], node: true },
  // Runs in a browser too.
  { folder: 'client/link', may: ['protocol'], packages: [], node: false },
  {
    folder: 'webview-ui',
    may: ['protocol', 'client/link', 'l10n'],
    packages: ['preact', '@preact/signals', 'marked', 'dompurify', 'highlight.js'],
    node: false,
  },
  { folder: 'extension', may: ['protocol', 'client', 'landing'], packages: ['vscode'], node: true },
  // A program of its own beside the relay, which it starts as a process.
  { folder: 'chaos', may: ['protocol', 'client'], packages: ['zod'], node: true },

  { folder: 'server/src/core', may: ['protocol'], packages: [], node: true },
  { folder: 'server/src/store', may: base, packages: ['kysely'], node: true },
  {
    folder: 'server/src/store/sqlite',
    may: [...base, 'server/src/store'],
    packages: ['kysely', 'sqlite3'],
    node: true,
  },
  { folder: 'server/src/archives', may: base, packages: ['zod'], node: true },
  { folder: 'server/src/git', may: base, packages: ['simple-git'], node: true },
  { folder: 'server/src/review', may: [...base, 'server/src/git'], packages: [], node: true },
  { folder: 'server/src/specs', may: base, packages: [], node: true },
  { folder: 'server/src/samples', may: base, packages: ['zod'], node: false },
  { folder: 'server/src/sandboxes', may: base, packages: [], node: true },
  {
    folder: 'server/src/sandboxes/docker',
    may: [...base, 'server/src/sandboxes'],
    packages: ['dockerode', 'zod'],
    node: true,
  },
  { folder: 'server/src/sandboxes/e2b', may: [...base, 'server/src/sandboxes'], packages: ['e2b'], node: true },
  {
    folder: 'server/src/sandboxes/daytona',
    may: [...base, 'server/src/sandboxes'],
    packages: ['@daytonaio/sdk'],
    node: true,
  },
  {
    folder: 'server/src/sandboxes/kubernetes',
    may: [...base, 'server/src/sandboxes'],
    packages: ['@kubernetes/client-node', 'ws', 'zod'],
    node: true,
  },
  { folder: 'server/src/journal', may: [...base, 'server/src/sandboxes/provider.ts'], packages: [], node: true },
  { folder: 'server/src/agents', may: base, packages: [], node: true },
  { folder: 'server/src/models', may: base, packages: [], node: true },
  { folder: 'server/src/policy', may: base, packages: ['zod'], node: true },
  { folder: 'server/src/redaction', may: base, packages: [], node: true },
  { folder: 'server/src/egress', may: base, packages: ['zod'], node: true },
  { folder: 'server/src/forges', may: base, packages: [], node: true },
  {
    folder: 'server/src/forges/github',
    may: [...base, 'server/src/forges'],
    packages: ['@octokit/auth-app', '@octokit/rest', 'zod'],
    node: true,
  },
  { folder: 'server/src/forges/gitea', may: [...base, 'server/src/forges'], packages: ['zod'], node: true },
  { folder: 'server/src/forges/gitlab', may: [...base, 'server/src/forges'], packages: ['zod'], node: true },
  {
    folder: 'server/src/sessions',
    may: [
      ...base,
      'server/src/store/store.ts',
      'server/src/sandboxes/provider.ts',
      'server/src/agents/agent.ts',
      'server/src/forges/forge.ts',
      'server/src/archives',
      'server/src/egress',
      'server/src/git',
      'server/src/journal',
      'server/src/models',
      'server/src/policy',
      'server/src/redaction',
      'server/src/review',
      'server/src/samples',
      'server/src/specs',
    ],
    packages: ['zod'],
    node: true,
  },
  {
    folder: 'server/src/hooks',
    may: [
      ...base,
      'server/src/store/store.ts',
      'server/src/store/hookStore.ts',
      'server/src/forges/forge.ts',
      'server/src/forges/colleague.ts',
      'server/src/review/itemAnswers.ts',
      'server/src/sessions/idempotency.ts',
    ],
    packages: ['zod'],
    node: true,
  },
  {
    folder: 'server/src/triggers',
    may: [
      ...base,
      'server/src/store/store.ts',
      'server/src/store/triggerStore.ts',
      'server/src/hooks/attempts.ts',
      'server/src/hooks/pump.ts',
      'server/src/hooks/untrusted.ts',
      'server/src/sessions/idempotency.ts',
    ],
    packages: ['zod'],
    node: true,
  },
  {
    folder: 'server/src/tending',
    may: [
      ...base,
      'server/src/forges/forge.ts',
      'server/src/forges/colleague.ts',
      'server/src/forges/watchedPull.ts',
      'server/src/hooks/pump.ts',
    ],
    packages: ['zod'],
    node: true,
  },
  {
    folder: 'server/src/search',
    may: [...base, 'server/src/store/store.ts', 'server/src/store/search.ts'],
    packages: [],
    node: true,
  },
  {
    folder: 'server/src/integrity',
    may: [
      ...base,
      'server/src/store/store.ts',
      'server/src/store/inspection.ts',
      'server/src/sandboxes/provider.ts',
      'server/src/sessions/runtime.ts',
      'server/src/archives',
      'server/src/git',
    ],
    packages: [],
    node: true,
  },
  {
    folder: 'server/src/backup',
    may: [...base, 'server/src/store/store.ts', 'server/src/integrity', 'server/src/archives', 'server/src/git'],
    packages: ['zod'],
    node: true,
  },
  {
    folder: 'server/src/upkeep',
    may: [
      ...base,
      'server/src/store/store.ts',
      'server/src/sandboxes/provider.ts',
      'server/src/archives',
      'server/src/git',
      'server/src/sessions',
    ],
    packages: [],
    node: true,
  },
  { folder: 'server/src/feed', may: [...base, 'server/src/sessions/eventSource.ts'], packages: [], node: true },
  {
    folder: 'server/src/ws',
    may: [...base, 'server/src/sessions/eventSource.ts', 'server/src/feed'],
    packages: ['ws'],
    node: true,
  },
  {
    folder: 'server/src/mcp',
    may: [...base, 'client/relayClient.ts'],
    packages: ['@modelcontextprotocol/server', 'zod'],
    node: true,
  },
  {
    folder: 'server/src/http',
    may: [...base, 'server/src/sessions/eventSource.ts', 'server/src/feed', 'server/src/mcp'],
    packages: ['express', 'zod'],
    node: true,
  },
  {
    folder: 'server/src/cli',
    may: [
      'protocol',
      'client',
      'landing',
      'server/src/core',
      'server/src/mcp',
      'server/src/relay.ts',
      'server/src/sandboxes',
      'server/src/agents',
    ],
    packages: ['commander'],
    node: true,
  },
  { folder: 'server/src', may: ['protocol', 'client', 'server/src'], packages: [], node: true },

  {
    folder: 'scripts',
    may: ['scripts', 'protocol', 'client', 'server', 'test/support', 'esbuild.mjs'],
    packages: [
      'esbuild',
      'zod',
      '@vscode/vsce',
      '@vscode/test-electron',
      '@sparticuz/chromium',
      '@anthropic-ai/claude-code',
    ],
    node: true,
  },
  {
    folder: 'test',
    may: ['protocol', 'client', 'landing', 'server', 'extension', 'webview-ui', 'chaos', 'scripts', 'esbuild.mjs'],
    packages: [
      'mocha',
      'ws',
      'ajv',
      'fast-check',
      'playwright-core',
      'axe-core',
      '@sparticuz/chromium',
      'vscode',
      'esbuild',
      'kysely',
      '@octokit/rest',
      '@octokit/webhooks-examples',
      '@octokit/webhooks-methods',
      'zod',
      'preact',
      '@vscode/vsce',
      // What their emulators are held to.
      'e2b',
      '@daytonaio/sdk',
      '@kubernetes/client-node',
      'js-yaml',
    ],
    node: true,
  },
  {
    folder: 'bench',
    may: ['protocol', 'client', 'server', 'test/support', 'scripts', 'esbuild.mjs'],
    // The last two are what the relay's answers to webhooks are compared with.
    packages: ['esbuild', 'zod', 'vscode', 'ws', 'express', 'sqlite3'],
    node: true,
  },
];

/** What each artefact under dist/ may contain. @type {Record<string, {folders: string[], node: boolean}>} */
export const bundles = {
  extension: { folders: ['extension', 'client', 'landing', 'protocol'], node: true },
  webview: { folders: ['webview-ui', 'client/link', 'protocol'], node: false },
  server: { folders: ['server', 'client', 'landing', 'protocol'], node: true },
  chaos: { folders: ['chaos', 'client', 'protocol'], node: true },
};

/** @param {string} file a path from the repository's root, with forward slashes */
export function layerOf(file) {
  return layers
    .filter(layer => file.startsWith(`${layer.folder}/`))
    .sort((one, other) => other.folder.length - one.folder.length)[0];
}

/** @param {string} specifier */
export function packageName(specifier) {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** The rule that holds the code to the table, as an oxlint plugin. */
const layersRule = {
  /** @param {{cwd: string, filename: string, report(problem: {node: unknown, message: string}): void}} context */
  create(context) {
    const root = `${context.cwd.replaceAll('\\', '/')}/`;
    const file = context.filename.replaceAll('\\', '/').replace(root, '');
    const layer = layerOf(file);
    if (!layer) {
      return {};
    }
    /** @param {{source?: {value?: unknown} | null}} node */
    const check = node => {
      const target = node.source?.value;
      if (typeof target !== 'string') {
        return;
      }
      if (target.startsWith('.')) {
        const resolved = new URL(target, `file:///${file}`).pathname.slice(1);
        const allowed = [layer.folder, ...layer.may].some(
          place => resolved === place || resolved.startsWith(`${place}/`),
        );
        if (!allowed) {
          context.report({ node, message: `${layer.folder}/ may not import ${resolved}: see scripts/layers.mjs` });
        }
        return;
      }
      if (target.startsWith('node:') ? !layer.node : !layer.packages.includes(packageName(target))) {
        context.report({ node, message: `${layer.folder}/ may not import ${target}: see scripts/layers.mjs` });
      }
    };
    return {
      ImportDeclaration: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      ImportExpression: check,
    };
  },
};

export default { meta: { name: 'house' }, rules: { layers: layersRule } };
