/** Where a link of the agent's text may lead. There is no third way: what is neither is shown as plain text. */
export type LinkTarget = { kind: 'web'; url: string; host: string } | { kind: 'file'; path: string };

const SCHEME = /^[a-z][a-z0-9+.-]*:/i;
const LINE_SUFFIX = /(#L?\d+(-L?\d+)?|:\d+(:\d+)?)$/i;

/**
 * Decides what a link is. Only http(s) addresses and paths pass: no `command:`, `javascript:`, `data:`, `file:` or
 * `vscode:`, and no address with a user name in it, which would make its host look like another.
 */
export function linkTarget(href: string): LinkTarget | undefined {
  const trimmed = href.trim();
  if (/^https?:\/\//i.test(trimmed)) {
    return webTarget(trimmed);
  }
  const path = decodePath(trimmed.replace(LINE_SUFFIX, ''));
  if (path === undefined || path === '' || hasControl(path) || SCHEME.test(path) || /^(#|\?|[\\/]{2})/.test(path)) {
    return undefined;
  }
  return { kind: 'file', path };
}

function webTarget(href: string): LinkTarget | undefined {
  if (!URL.canParse(href)) {
    return undefined;
  }
  const url = new URL(href);
  const plain = (url.protocol === 'https:' || url.protocol === 'http:') && url.username === '' && url.password === '';
  return plain ? { kind: 'web', url: url.href, host: url.host } : undefined;
}

function decodePath(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function hasControl(text: string): boolean {
  return /\p{Cc}/u.test(text);
}
