/** Mentions must not notify anybody and no issue may be closed by what somebody wrote. */
export function inert(text: string): string {
  return text
    .replace(/<!--/g, '&lt;!--')
    .replace(/@(?=[a-z0-9])/gi, '@\u200B')
    .replace(/#(?=\d)/g, '#\u200B');
}
