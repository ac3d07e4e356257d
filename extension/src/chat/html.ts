/** What stands in the page besides its code; all of it made by the host. */
export interface PageParts {
  nonce: string;
  /** The editor's own origin for resources. */
  cspSource: string;
  scriptUri: string;
  styleUri: string;
  /** Of the editor, as BCP 47 names it: the page takes its texts by it. */
  language: string;
}

/**
 * The page of the chat. Agent text is hostile: no inline script or style, no remote image, no connection out. Scripts
 * come from the bundle's folder only; `cspSource` beside the nonce is what lets the bundle load its lazy chunks.
 */
export function chatHtml({ nonce, cspSource, scriptUri, styleUri, language }: PageParts): string {
  const policy = [
    `default-src 'none'`,
    `img-src ${cspSource} data:`,
    `font-src ${cspSource}`,
    `style-src ${cspSource}`,
    `script-src 'nonce-${nonce}' ${cspSource}`,
    `base-uri 'none'`,
    `form-action 'none'`,
  ].join('; ');
  const lang = /^[a-z]{2,3}(-[\w-]+)?$/i.test(language) ? language : 'en';
  return `<!DOCTYPE html>
<html lang="${lang}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sandpiper Chat</title>
<link rel="stylesheet" href="${styleUri}">
</head>
<body>
<div id="root"></div>
<script type="module" nonce="${nonce}" src="${scriptUri}"></script>
</body>
</html>`;
}
