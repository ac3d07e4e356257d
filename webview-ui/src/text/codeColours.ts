/** Loaded with the highlighter. The colours that are readable in all of the editor's own themes. */
const COLOURS = `
.hljs-comment,
.hljs-quote,
.hljs-meta {
  color: var(--muted);
}

.hljs-keyword,
.hljs-literal,
.hljs-built_in,
.hljs-selector-tag,
.hljs-tag {
  color: var(--vscode-debugTokenExpression-boolean, light-dark(#0000ff, #569cd6));
}

.hljs-string,
.hljs-regexp,
.hljs-symbol {
  color: var(--vscode-debugTokenExpression-string, light-dark(#a31515, #ce9178));
}

.hljs-name,
.hljs-attr,
.hljs-attribute,
.hljs-property,
.hljs-variable {
  color: var(--vscode-debugTokenExpression-name, light-dark(#9b46b0, #c586c0));
}

.hljs-title,
.hljs-section,
.hljs-type {
  color: var(--vscode-symbolIcon-functionForeground, light-dark(#652d90, #b180d7));
}

.hljs-number {
  color: var(--vscode-charts-purple, light-dark(#652d90, #b180d7));
}

.hljs-addition {
  color: var(--plus);
}

.hljs-deletion {
  color: var(--minus);
}

.hljs-emphasis {
  font-style: italic;
}

.hljs-strong {
  font-weight: 600;
}
`;

/** A sheet that is made by the page itself is no markup, so that its policy needs no exception. */
export function adoptCodeColours(): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(COLOURS);
  document.adoptedStyleSheets.push(sheet);
}
