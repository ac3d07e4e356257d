import type { Item, SessionState, Submission } from '../../../protocol/session.ts';

/* What the agent reads of a review beside the message itself: whether its files are as the review has them. Pure. */

type Message = Pick<Extract<Item, { kind: 'message' }>, 'text' | 'submission'>;

const MAX_NAMED = 20;

export function submissionOf(state: SessionState, { submission }: Message): Submission | undefined {
  return submission === undefined ? undefined : state.feedback?.submissions.find(({ number }) => number === submission);
}

/** Whether the agent's files are to be changed before the message goes to it. */
export function isToApply({ agents, proposed, applied }: Submission): boolean {
  return agents !== proposed && applied === undefined;
}

/** A message as the agent gets it. */
export function textForAgent(state: SessionState, message: Message): string {
  const applied = submissionOf(state, message)?.applied;
  return applied ? `${message.text}\n${stateOfFiles(applied)}\n` : message.text;
}

function stateOfFiles({ left, failure }: NonNullable<Submission['applied']>): string {
  if (failure !== undefined) {
    return 'Your files still have what I rejected and do not have my own edits: bring them in line with the above first.';
  }
  const done =
    'What is rejected is already taken out of your files, and my own edits are in them. Read a file again before you change it.';
  if (left.length === 0) {
    return done;
  }
  const names = left.slice(0, MAX_NAMED).map(path => `\`${path}\``);
  const more = left.length > MAX_NAMED ? ` and ${left.length - MAX_NAMED} more` : '';
  return `${done} Not so in ${names.join(', ')}${more}: you changed the same lines since. Bring them in line with the above yourself.`;
}
