import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { RELAY_TEXTS } from '../protocol/relayTexts.ts';
import { compareTexts } from './l10n/compare.ts';
import { keysIn } from './l10n/keys.ts';
import { literalTexts } from './l10n/manifestTexts.ts';

/*
 * Fails when a text that a person reads is in no language file, when a language file has one that nobody uses, or when a
 * translation lost a place for an argument. That no text misses its `t` is a lint rule: scripts/texts.mjs.
 */

const root = join(import.meta.dirname, '..');
const FOLDERS = ['extension/src', 'webview-ui/src', 'protocol', 'landing', 'client'];
const textsSchema = z.record(z.string(), z.string());

const found = await keysIn(root, FOLDERS);
const problems = [...found.problems];
const keys = new Set([...found.keys.map(({ key }) => key), ...RELAY_TEXTS]);

const english = await texts('package.nls.json');
const manifest = await readFile(join(root, 'package.json'), 'utf8');
const { contributes } = z.object({ contributes: z.unknown() }).parse(JSON.parse(manifest));
problems.push(...literalTexts(contributes).map(path => `package.json has a text itself: contributes.${path}`));
const asked = new Set([...manifest.matchAll(/"%([^%"]+)%"/g)].map(match => match[1] ?? ''));
problems.push(...compareTexts('package.nls.json', asked, english, key => english[key] ?? ''));

const languages = (await readdir(join(root, 'l10n'))).flatMap(
  name => /^bundle\.l10n\.(.+)\.json$/.exec(name)?.[1] ?? [],
);
const page = await readFile(join(root, 'webview-ui/src/language.ts'), 'utf8');
for (const language of languages) {
  const bundle = `l10n/bundle.l10n.${language}.json`;
  problems.push(...compareTexts(bundle, keys, await texts(bundle)));
  const own = `package.nls.${language}.json`;
  const ofManifest = existsSync(join(root, own)) ? await texts(own) : {};
  problems.push(...compareTexts(own, new Set(Object.keys(english)), ofManifest, key => english[key] ?? ''));
  if (!new RegExp(`^  ['"]?${language}['"]?:`, 'm').test(page)) {
    problems.push(`webview-ui/src/language.ts does not load ${language}`);
  }
  for (const file of (await readdir(join(root, 'media/walkthrough'))).filter(name => /^\w+\.md$/.test(name))) {
    const translated = `media/walkthrough/${file.replace('.md', `.nls.${language}.md`)}`;
    if (!existsSync(join(root, translated))) {
      problems.push(`${translated} is missing`);
    }
  }
}

for (const problem of problems) {
  console.error(problem);
}
process.exitCode = problems.length > 0 ? 1 : 0;

async function texts(file: string): Promise<Record<string, string>> {
  return textsSchema.parse(JSON.parse(await readFile(join(root, file), 'utf8')));
}
