import { z } from 'zod';
import type { ZipEntry } from './zipEntries.ts';

/** What a VSIX may hold. A file that matches none is an error: nothing gets to users by accident. */
const ALLOWED = [
  /^\[Content_Types\]\.xml$/,
  /^extension\.vsixmanifest$/,
  /^extension\/package\.json$/,
  /^extension\/package\.nls(\.[\w-]+)?\.json$/,
  /^extension\/(readme|changelog)\.md$/i,
  /^extension\/license(\.txt|\.md)?$/i,
  /^extension\/l10n\/[\w.-]+\.json$/,
  /^extension\/media\/[\w./-]+\.(svg|png|md)$/,
  /^extension\/dist\/extension\/extension\.cjs$/,
  /^extension\/dist\/server\/([\w-]+\.mjs|agent-run\.sh|node_sqlite3\.node)$/,
  /^extension\/dist\/chaos\/(chaos\.mjs|standIn\.sh)$/,
  /^extension\/dist\/webview\/(chunks\/)?[\w.-]+\.(js|css|html|ttf)$/,
];

const REQUIRED = [
  'extension/package.json',
  'extension/package.nls.json',
  'extension/dist/extension/extension.cjs',
  'extension/dist/server/sandpiper.mjs',
  'extension/dist/server/agent-run.sh',
  'extension/dist/webview/main.js',
];

/** Forms of real secrets; a pattern in our own source that looks for them does not match itself. */
const SECRETS: Record<string, RegExp> = {
  'an Anthropic key': /sk-ant-[\w-]{24,}/,
  'a GitHub token': /gh[pousr]_\w{36,}|github_pat_\w{60,}/,
  'a GitLab token': /glpat-[\w-]{20,}/,
  'an AWS key': /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/,
  'an npm token': /npm_\w{36}/,
  'a Slack token': /xox[abprs]-[\w-]{20,}/,
  'a private key': /-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[\w+/=]{40}/,
};

const manifestSchema = z.object({ enabledApiProposals: z.unknown().optional() });

/**
 * What is wrong with the contents of a VSIX, as sentences; empty when nothing is.
 * @param foreign texts that must not appear anywhere: paths of this machine, values of secret variables
 */
export function checkContents(entries: readonly ZipEntry[], foreign: readonly string[], withSqlite: boolean): string[] {
  const names = entries.map(({ name }) => name).filter(name => !name.endsWith('/'));
  const sqlite = 'extension/dist/server/node_sqlite3.node';
  const required = withSqlite ? [...REQUIRED, sqlite] : REQUIRED;
  const problems = [
    ...names.filter(name => !ALLOWED.some(allowed => allowed.test(name))).map(name => `${name} should not be in it`),
    ...required.filter(name => !names.includes(name)).map(name => `${name} is not in it`),
  ];
  if (!withSqlite && names.includes(sqlite)) {
    problems.push(`${sqlite} is in it, though it is for every platform`);
  }
  for (const { name, content } of entries) {
    // As bytes, so that the check also sees into binaries.
    const text = content.toString('latin1');
    for (const [what, pattern] of Object.entries(SECRETS)) {
      if (pattern.test(text)) {
        problems.push(`${name} contains ${what}`);
      }
    }
    // The compiled binary names the folder it was built in; those paths tell nothing about a person.
    if (!name.endsWith('.node')) {
      problems.push(...foreign.filter(part => text.includes(part)).map(part => `${name} contains ${hide(part)}`));
    }
    if (name === 'extension/package.json' && manifestSchema.parse(JSON.parse(text)).enabledApiProposals !== undefined) {
      problems.push('package.json enables proposed APIs, which a marketplace extension may not use');
    }
  }
  return problems;
}

/** A path may be shown, a secret may not. */
function hide(part: string): string {
  return /[/\\]/.test(part) ? `the path ${part}` : 'the value of a secret variable of this machine';
}
