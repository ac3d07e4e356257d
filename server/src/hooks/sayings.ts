import { inert } from '../core/inertText.ts';
import { visibleText } from './untrusted.ts';
import type { Outcome, RequestData } from './requestData.ts';

/* What people on the forge are told. The agent's words can notify nobody, close nothing and load nothing. Pure. */

const MAX_SAID_CHARS = 3000;

export function workingText(sessionId: string): string {
  return `On it. The work goes on in the session \`${sessionId}\`; this comment will say what came of it.`;
}

/** What came of an issue, in the comment that said that it is worked on. */
export function issueText(sessionId: string, { outcome, landed, repository, begins = false }: RequestData): string {
  if (landed) {
    const pull = `${repository.forge === 'gitlab' ? '!' : '#'}${landed.number}`;
    return [
      // After a kill the call may have found the one that it had made.
      begins || landed.created ? `Opened ${pull} for this.` : `Pushed to ${pull}.`,
      ...said(outcome),
      `The session is \`${sessionId}\`.`,
    ].join('\n\n');
  }
  return [headline(outcome), ...said(outcome), `The session is \`${sessionId}\`.`].join('\n\n');
}

/** What came of a comment, or of a review as a whole. */
export function turnText({ outcome, landed }: RequestData): string {
  return [landed ? `Done in ${landed.commit.slice(0, 7)}.` : headline(outcome), ...said(outcome)].join('\n\n');
}

/** The answer in the thread of one comment. */
export function threadText(
  answer: { outcome?: string; text?: string } | undefined,
  commit: string | undefined,
): string {
  const where = commit === undefined ? '' : ` in ${commit.slice(0, 7)}`;
  const words = answer?.text === undefined ? [] : [shown(answer.text)];
  switch (answer?.outcome) {
    case 'addressed':
      return [`Addressed${where}.`, ...words].join(' ');
    case 'declined':
      return ['Not changed.', ...words].join(' ');
    case 'outdated':
      return ['This is outdated.', ...words].join(' ');
    default:
      return words.length > 0
        ? words.join(' ')
        : commit === undefined
          ? 'The agent did not say what it made of this, and changed nothing.'
          : `The agent did not say what it made of this; see what changed${where}.`;
  }
}

/** A person has to go on. */
export function handOverText(sessionId: string, why: string): string {
  return `A person is needed here: ${shown(why)}\n\nNothing more is tried by itself. The session is \`${sessionId}\`; a comment with \`@\u200Bsandpiper\` goes on.`;
}

function headline(outcome: Outcome | undefined): string {
  switch (outcome?.kind) {
    case 'completed':
      return 'Nothing had to be changed.';
    case 'person':
      return `A person is needed here: ${shown(outcome.reason ?? '')}`;
    default:
      return `This did not work out: ${shown(outcome?.reason ?? 'nobody knows why')}`;
  }
}

function said(outcome: Outcome | undefined): string[] {
  const text = withoutAnswers(outcome?.text ?? '');
  return text === '' ? [] : [quoted(shown(text))];
}

/** The block of answers stands in the threads. */
function withoutAnswers(text: string): string {
  return text.replace(/^```review\n[^]*?(^```$|(?![^]))/gm, '').trim();
}

function shown(text: string): string {
  const visible = inert(visibleText(text)).trim();
  return visible.length > MAX_SAID_CHARS ? `${visible.slice(0, MAX_SAID_CHARS)} …` : visible;
}

function quoted(text: string): string {
  return text
    .split('\n')
    .map(line => `> ${line}`)
    .join('\n');
}
