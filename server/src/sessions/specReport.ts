import { checksOf, checkTitle } from '../../../protocol/specChecks.ts';
import type { SpecWork } from '../../../protocol/specWork.ts';
import { itemState } from '../../../protocol/specWork.ts';
import { inert } from '../core/inertText.ts';
import { codePath } from './pullRequestBody.ts';

/** Characters of what a check printed, and of all of them together: a forge refuses a long text. */
const MAX_OUTPUT = 1500;
const MAX_OUTPUTS = 20_000;

const MARKS = { passed: '✅', failed: '❌', open: '⬜' } as const;

/**
 * Pure. What was to be built and by which evidence it is, as paragraphs of Markdown.
 * @param landsAsChecked whether what lands is what the checks ran on
 */
export function specReport(work: SpecWork, landsAsChecked: boolean): string[] {
  const { round, document, spec, ended } = work;
  let left = MAX_OUTPUTS;
  const items = document.items.flatMap(({ title }, item) => {
    const lines = checksOf(document)
      .filter(check => check.item === item)
      .map(({ key, check }) => {
        const result = round?.results[key];
        const mark = MARKS[result?.outcome ?? 'open'];
        const name = check.kind === 'question' ? safe(check.question) : codePath(checkTitle(check));
        const output = (result?.output?.text ?? '').trimEnd().slice(-Math.min(MAX_OUTPUT, left));
        left -= output.length;
        const shown =
          output === ''
            ? ''
            : `\n\n  <details><summary>What it printed</summary>\n\n${indented(output)}\n\n  </details>\n`;
        return `- ${mark} ${check.kind}: ${name}. ${safe(result?.detail ?? 'Not run.')}${shown}`;
      });
    return [`**${MARKS[itemState(work, item)]} ${item + 1}. ${safe(title)}**`, lines.join('\n')];
  });
  const when = round
    ? `Checked by Sandpiper after turn ${round.turn}, at \`${round.commit.slice(0, 8)}\`.`
    : 'Not checked.';
  return [
    `**${safe(spec.title)}** (revision ${spec.revision}). ${when} ${safe(ended?.reason ?? 'The build has not ended.')}`,
    ...(round && !landsAsChecked
      ? ['What lands is not exactly what was checked: a reviewer or a later turn changed it.']
      : []),
    ...items,
  ];
}

/** As code that no text inside can end. */
function indented(text: string): string {
  return text
    .replace(/[^\P{Cc}\n\t]/gu, '\uFFFD')
    .split('\n')
    .map(line => `      ${line}`)
    .join('\n');
}

/** Of one line. */
function safe(text: string): string {
  return inert(text)
    .replace(/</g, '&lt;')
    .replace(/[`*_[\]|]/g, '\\$&');
}
