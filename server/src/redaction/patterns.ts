/*
 * What looks like a secret of somebody, whoever's it is. Each begins with letters that are looked for first, and has no part
 * that can be tried in more than one way: the time is linear.
 */

const PATTERNS: readonly { name: string; begins: string; pattern: RegExp }[] = [
  { name: 'Anthropic key', begins: 'sk-ant-', pattern: /sk-ant-(?:api|admin|oat|ort)\d{2}-[\w-]{40,200}/g },
  { name: 'GitHub token', begins: 'gh', pattern: /\bgh[pousr]_\w{36,251}/g },
  { name: 'GitHub token', begins: 'ghs_', pattern: /\bghs_[\w.-]{60,1000}/g },
  { name: 'GitHub token', begins: 'github_pat_', pattern: /\bgithub_pat_\w{60,255}/g },
  { name: 'GitLab token', begins: 'glpat-', pattern: /\bglpat-[\w-]{20,60}/g },
  { name: 'npm token', begins: 'npm_', pattern: /\bnpm_[A-Za-z0-9]{36}\b/g },
  { name: 'AWS key', begins: 'AKIA', pattern: /\bAKIA[0-9A-Z]{16}\b/g },
  { name: 'Slack token', begins: 'xox', pattern: /\bxox[abprs]-[\w-]{20,200}/g },
  { name: 'Google key', begins: 'AIza', pattern: /\bAIza[\w-]{35}\b/g },
  { name: 'E2B key', begins: 'e2b_', pattern: /\be2b_[0-9a-f]{40}\b/g },
  {
    name: 'private key',
    begins: '-----BEGIN ',
    pattern:
      /-----BEGIN (?:[A-Z]{2,10} )?PRIVATE KEY-----[\w+/=\s\\]{1,20000}-----END (?:[A-Z]{2,10} )?PRIVATE KEY-----/g,
  },
];

/** Where what looks like a secret stands, and what it is. */
export function matchPatterns(text: string): { name: string; value: string; at: number }[] {
  return PATTERNS.filter(({ begins }) => text.includes(begins)).flatMap(({ name, pattern }) =>
    [...text.matchAll(pattern)].map(({ 0: value, index: at }) => ({ name, value, at })),
  );
}

/** Replaces what looks like a secret. @param onFound called with its name */
export function redactPatterns(text: string, onFound: (name: string) => void): string {
  let left = text;
  for (const { name, begins, pattern } of PATTERNS) {
    if (left.includes(begins)) {
      left = left.replace(pattern, () => {
        onFound(name);
        return `[redacted: ${name}]`;
      });
    }
  }
  return left;
}
