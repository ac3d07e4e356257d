import { SandpiperError } from '../../../protocol/errors.ts';
import type { Comment } from '../../../protocol/commentText.ts';
import { t } from '../../../protocol/text.ts';

/* Comments on a plan: what the agent is told of them. Pure, no `vscode`. */

/** What the relay takes as the message of an answer. */
const MAX_MESSAGE = 10_000;
const MAX_QUOTE = 200;

/** The plan that an agent asks about; undefined when the input has none. */
export function planIn(input: string): string | undefined {
  try {
    const parsed: unknown = JSON.parse(input);
    const plan: unknown = typeof parsed === 'object' && parsed !== null ? Reflect.get(parsed, 'plan') : undefined;
    return typeof plan === 'string' ? plan : undefined;
  } catch {
    return undefined;
  }
}

/** Those that the agent has not been told, in the order of the plan. */
export function draftsOnPlan(comments: readonly Comment[], approvalId: string): Comment[] {
  return comments
    .filter(({ place, state }) => state === 'draft' && place.kind === 'plan' && place.approvalId === approvalId)
    .sort((one, other) => startOf(one) - startOf(other));
}

/** What the agent reads when it is to go on planning. @throws `too_large` */
export function keepPlanningMessage(drafts: readonly Comment[], text: string): string {
  const listed = drafts.map(({ place, text: said }, index) => {
    const quote = place.quote.trim().split('\n').join(' / ');
    const short = quote.length > MAX_QUOTE ? `${quote.slice(0, MAX_QUOTE)}…` : quote;
    return `${index + 1}. On ${lineText(place)}: "${short}"\n${said.replace(/^/gm, '   ')}`;
  });
  const message = [...(text.trim() === '' ? [] : [text.trim()]), 'Comments on the plan:', ...listed].join('\n\n');
  if (message.length > MAX_MESSAGE) {
    throw new SandpiperError(
      'too_large',
      t('The comments on the plan are longer than {0} characters together.', MAX_MESSAGE),
      {
        hint: t('Shorten or delete some of them. Nothing was sent.'),
      },
    );
  }
  return message;
}

function lineText(place: Comment['place']): string {
  if (place.kind !== 'plan' || !place.lines) {
    return 'the plan';
  }
  const { start, count } = place.lines;
  return count === 1 ? `line ${start + 1}` : `lines ${start + 1} to ${start + count}`;
}

function startOf({ place }: Comment): number {
  return place.kind === 'plan' ? (place.lines?.start ?? 0) : 0;
}
