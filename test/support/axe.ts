import axe from 'axe-core';
import type { Frame, Page } from 'playwright-core';

/** What axe finds wrong with what is on show, one line a place; empty when it finds nothing. */
export async function axeFindings(frame: Page | Frame): Promise<string[]> {
  // As a debugger does it, past the page's policy.
  await frame.evaluate(axe.source);
  const result: unknown =
    await frame.evaluate(`axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
    violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => id + ': ' + html.slice(0, 200) + ' | ' + failureSummary.replace(/\\s+/g, ' ').slice(0, 300)),
    ))`);
  return Array.isArray(result) ? result.map(String) : [`axe gave no answer: ${JSON.stringify(result)}`];
}
