import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Measurement } from '../figure.ts';
import { buildProduct, distFolder } from '../support/buildProduct.ts';

/**
 * Parts that wait longer than a session with an answer and a tool call: the colours of code, images, the page of a
 * browser; and what only some load: another language than English.
 */
const WAITS = /highlighter|readImages|browserHost|germanTexts/;

/**
 * What must be there before the chat page shows anything, the same with what it loads for its first answers and cards, and
 * the file that users install. The same in every round.
 */
export const sizes: Measurement = {
  figures: [
    { name: 'webview-gzip-kb', unit: 'KB', aim: 60 },
    { name: 'webview-session-gzip-kb', unit: 'KB', aim: 60 },
    { name: 'vsix-mb', unit: 'MB', aim: 3 },
  ],
  needs: [],
  async take() {
    const vsix = await buildProduct();
    const webview = join(distFolder, 'webview');
    const page = async (parts: RegExp) => {
      const files = [...(await withImports(join(webview, 'main.js'), parts)), join(webview, 'main.css')];
      const zipped = await Promise.all(files.map(async file => gzipSync(await readFile(file)).length / 1024));
      const kb = zipped.reduce((sum, size) => sum + size, 0);
      return { value: kb, raw: { unit: 'KB', ours: [kb], files: files.map(file => file.slice(webview.length + 1)) } };
    };
    const vsixMb = (await stat(vsix)).size / 1024 / 1024;
    return {
      'webview-gzip-kb': await page(STATIC),
      'webview-session-gzip-kb': await page(STATIC_OR_LATER),
      'vsix-mb': { value: vsixMb, raw: { unit: 'MB', ours: [vsixMb] } },
    };
  },
};

const STATIC = /(?:\bfrom|\bimport)\s*"(\.{1,2}\/[^"]+\.js)"/g;
const STATIC_OR_LATER = /(?:\bfrom|\bimport)\s*\(?\s*"(\.{1,2}\/[^"]+\.js)"/g;

/** A module of the production build and all that it loads by imports of this form. */
async function withImports(file: string, form: RegExp, known = new Set<string>()): Promise<string[]> {
  if (known.has(file) || WAITS.test(file)) {
    return [];
  }
  known.add(file);
  const text = await readFile(file, 'utf8');
  const files = [file];
  for (const [, path = ''] of text.matchAll(form)) {
    files.push(...(await withImports(join(dirname(file), path), form, known)));
  }
  return files;
}
