/** Colouring more than this would hold up the page. */
const MAX_CODE = 50_000;

/** Colours code. The colouring is a chunk of its own, fetched with the first code block; without it code stays plain. */
export async function highlightInto(element: HTMLElement, language: string): Promise<void> {
  const code = element.textContent;
  if (language === '' || code.length > MAX_CODE) {
    return;
  }
  try {
    const { highlight } = await import('./highlighter.ts');
    const coloured = highlight(code, language);
    if (coloured && element.textContent === code) {
      element.replaceChildren(coloured);
    }
  } catch {
    // The chunk could not be loaded: the code is there, only without colours.
  }
}
