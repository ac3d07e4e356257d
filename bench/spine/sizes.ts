import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Measurement } from '../figure.ts';
import { buildProduct, distFolder } from '../support/buildProduct.ts';

/** What must be there before the chat page shows anything, and the file that users install. The same in every round. */
export const sizes: Measurement = {
  figures: [
    { name: 'webview-gzip-kb', unit: 'KB', aim: 60 },
    { name: 'vsix-mb', unit: 'MB', aim: 3 },
  ],
  needs: [],
  async take() {
    const vsix = await buildProduct();
    const webview = join(distFolder, 'webview');
    const files = [...(await withStaticImports(join(webview, 'main.js'))), join(webview, 'main.css')];
    const zipped = await Promise.all(files.map(async file => gzipSync(await readFile(file)).length / 1024));
    const names = files.map(file => file.slice(webview.length + 1));
    const webviewKb = zipped.reduce((sum, size) => sum + size, 0);
    const vsixMb = (await stat(vsix)).size / 1024 / 1024;
    return {
      'webview-gzip-kb': { value: webviewKb, raw: { unit: 'KB', ours: [webviewKb], files: names } },
      'vsix-mb': { value: vsixMb, raw: { unit: 'MB', ours: [vsixMb] } },
    };
  },
};

/** A module of the production build and all that it loads before it runs; not what it loads later by `import()`. */
async function withStaticImports(file: string, known = new Set<string>()): Promise<string[]> {
  if (known.has(file)) {
    return [];
  }
  known.add(file);
  const text = await readFile(file, 'utf8');
  const imported = [...text.matchAll(/(?:\bfrom|\bimport)\s*"(\.{1,2}\/[^"]+\.js)"/g)];
  const files = [file];
  for (const [, path = ''] of imported) {
    files.push(...(await withStaticImports(join(dirname(file), path), known)));
  }
  return files;
}
