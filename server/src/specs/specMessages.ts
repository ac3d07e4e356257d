import type { Spec } from '../../../protocol/spec.ts';
import { checksOf, checkTitle } from '../../../protocol/specChecks.ts';
import { writeSpec } from '../../../protocol/specText.ts';
import type { SpecWork } from '../../../protocol/specWork.ts';

/* What the agent is told when a spec is built. */

/** Of what a failed check printed, and of all of them together, in characters. */
const MAX_OUTPUT = 4000;
const MAX_OUTPUTS = 40_000;

const RULES = `Sandpiper runs the checks in this sandbox after each of your turns, from its own copy of the spec. Do not change a test or a script so that it checks less. Run the commands yourself before you end your turn. End it when you believe that every check passes, or when you cannot go on without a person; then say why.`;

export function firstMessage(spec: Spec): string {
  return `Build what this spec says, item by item.\n\n${fenced(writeSpec(spec), 'markdown')}\n\n${RULES}`;
}

/** After a round in which checks failed. */
export function nextMessage(work: SpecWork): string {
  let left = MAX_OUTPUTS;
  const parts = work.document.items.flatMap(({ title }, item) => {
    const failed = checksOf(work.document).filter(
      check => check.item === item && outcomeOf(work, check.key) === 'failed',
    );
    const lines = failed.map(({ key, check }) => {
      const { detail = '', output } = work.round?.results[key] ?? {};
      const shown = (output?.text ?? '').trimEnd().slice(-Math.min(MAX_OUTPUT, left));
      left -= shown.length;
      const said = shown === '' ? '' : `\n\n${fenced(shown, '')}`;
      return `- ${check.kind}: ${checkTitle(check)}\n  ${detail}${said}`;
    });
    return lines.length === 0 ? [] : [`## Item ${item + 1}: ${title}\n\n${lines.join('\n')}`];
  });
  return `Some checks of the spec “${work.spec.title}” do not pass yet. Go on until they do.\n\n${parts.join('\n\n')}\n\n${RULES}`;
}

function outcomeOf(work: SpecWork, key: string): 'passed' | 'failed' | undefined {
  return work.round?.results[key]?.outcome;
}

/** A block of code that no text inside can end. */
function fenced(text: string, language: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map(run => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${text.trimEnd()}\n${fence}`;
}
