import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, resolve, sep } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { targets } from '../../esbuild.mjs';
import { pageTexts } from '../../scripts/l10n/pageTexts.ts';
import { pseudo } from './pseudo.ts';
import { repositoryFolder } from '../../scripts/setup/need.ts';

export interface WebviewServer {
  /** Address of the page as VS Code frames it; the policy is the extension's. */
  url: string;
  /** Folder of the bundle, as it is shipped. */
  folder: string;
  close(): Promise<void>;
}

const TYPES: Record<string, string> = {
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
};
const NONCE = 'bm9uY2U';

/** In the place of the German texts: every text of ours is marked, so that one without translation shows. */
const pseudoTexts: Plugin = {
  name: 'pseudo-texts',
  setup(bundler) {
    bundler.onLoad({ filter: /bundle\.l10n\.de\.json$/ }, async () => {
      const all = [...(await pageTexts(repositoryFolder))];
      return { contents: JSON.stringify(Object.fromEntries(all.map(key => [key, pseudo(key)]))), loader: 'json' };
    });
  },
};

/**
 * Builds the page as it is shipped and serves it on loopback, under the policy that it has inside VS Code.
 * @param language `pseudo` comes in the place of German
 */
export async function serveWebview(language: 'en' | 'de' | 'pseudo' = 'en'): Promise<WebviewServer> {
  const folder = await mkdtemp(join(tmpdir(), 'sandpiper-webview-'));
  try {
    const { webview } = targets;
    const plugins = [...(language === 'pseudo' ? [pseudoTexts] : []), ...(webview.plugins ?? [])];
    await build({ ...webview, plugins, minify: true, sourcemap: false, outdir: folder });
    const server = createServer((request, response) => {
      const path = new URL(request.url ?? '/', 'http://loopback').pathname;
      const file = resolve(folder, `.${path}`);
      response.setHeader('Access-Control-Allow-Origin', '*');
      if (path === '/') {
        response
          .setHeader('Content-Type', 'text/html; charset=utf-8')
          .end(pageHtml(`http://${request.headers.host ?? ''}`, language === 'en' ? 'en' : 'de'));
        return;
      }
      readFile(file.startsWith(folder + sep) ? file : '').then(
        content => response.setHeader('Content-Type', TYPES[extname(file)] ?? 'application/octet-stream').end(content),
        () => response.writeHead(404).end(),
      );
    });
    const url = await listen(server);
    const close = async (): Promise<void> => {
      server.closeAllConnections();
      await new Promise(done => server.close(done));
      await rm(folder, { recursive: true, force: true });
    };
    return { url, folder, close };
  } catch (thrown) {
    await rm(folder, { recursive: true, force: true });
    throw thrown;
  }
}

function listen(server: Server): Promise<string> {
  return new Promise((done, failed) => {
    server.once('error', failed);
    server.listen(0, '127.0.0.1', () => {
      const address: AddressInfo | string | null = server.address();
      done(`http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`);
    });
  });
}

/** Stricter than the extension's by one point: chunks load by the nonce of what imports them, without a source. */
function pageHtml(source: string, language: string): string {
  const policy = `default-src 'none'; img-src ${source} data:; font-src ${source}; style-src ${source}; script-src 'nonce-${NONCE}'; base-uri 'none'; form-action 'none'`;
  return `<!DOCTYPE html><html lang="${language}"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Sandpiper Chat</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/main.css"></head>
<body><div id="root"></div><script type="module" nonce="${NONCE}" src="/main.js"></script></body></html>`;
}
