import type { Blamed } from '../../../protocol/blame.ts';
import { idPattern } from '../../../protocol/ids.ts';
import { t } from '../../../protocol/text.ts';

/* What the editor says of where a line comes from. Pure, no `vscode`. */

/** A paragraph: plain text that may be an agent's, or words of ours. */
export type Paragraph = { kind: 'heading' | 'ours' | 'theirs'; text: string };

const MAX_PROMPT_LINES = 6;

/** @param now milliseconds since the epoch */
export function originText({ origin, accepted, acceptedBy }: Blamed, now: number): Paragraph[] {
  const taken = acceptedBy === undefined ? t('Accepted.') : t('Accepted by {0}.', acceptedBy);
  const state = accepted ? taken : t('Not reviewed yet.');
  switch (origin.kind) {
    case 'base':
      return [{ kind: 'ours', text: t('This line was there before the session.') }];
    case 'unknown':
      return [{ kind: 'ours', text: t('The log does not say where this line comes from.') }];
    case 'reviewer':
      return [
        { kind: 'heading', text: t('Written in the review, by {0}', origin.by) },
        {
          kind: 'ours',
          text:
            origin.submission === undefined
              ? state
              : t('{0} Handed to the agent with review {1}.', state, origin.submission),
        },
      ];
    case 'turn': {
      const { turn, startedAt, costUsd, model, prompt, tools, certain } = origin;
      const cost = costUsd === 0 ? [] : [t('the turn cost ${0}', costUsd.toFixed(costUsd < 0.1 ? 4 : 2))];
      const facts = [ageText(now - startedAt), ...(model === undefined ? [] : [model]), ...cost];
      return [
        { kind: 'heading', text: t('Written by the agent in turn {0}', turn) },
        { kind: 'ours', text: `${facts.join(', ')}. ${state}` },
        ...(prompt === '' ? [] : [{ kind: 'theirs', text: shortened(prompt) } as const]),
        ...toolTexts(tools, certain),
      ];
    }
  }
}

function toolTexts(tools: readonly { name: string; title: string }[], certain: boolean): Paragraph[] {
  const [first] = tools;
  if (!first) {
    return [];
  }
  const names = tools.map(({ name, title }) => `${name} ${title}`.trim());
  return [
    {
      kind: 'ours',
      text: certain ? t('With this tool call:') : tools.length === 1 ? t('Probably with:') : t('With one of:'),
    },
    { kind: 'theirs', text: names.join('\n') },
  ];
}

function shortened(prompt: string): string {
  const lines = prompt.split('\n');
  return lines.length <= MAX_PROMPT_LINES ? prompt : [...lines.slice(0, MAX_PROMPT_LINES), '…'].join('\n');
}

function ageText(ms: number): string {
  const minutes = Math.max(0, Math.round(ms / 60_000));
  if (minutes < 60) {
    return minutes === 0 ? t('Just now') : t('{0} min ago', minutes);
  }
  const hours = Math.round(minutes / 60);
  return hours < 48 ? t('{0} h ago', hours) : t('{0} days ago', Math.round(hours / 24));
}

const SESSION = idPattern('ses');

/** What a link of a hover passes; undefined when it is none of ours. */
export function readPlace(argument: unknown): { sessionId: string; itemId: string } | undefined {
  if (typeof argument !== 'object' || argument === null || !('sessionId' in argument) || !('itemId' in argument)) {
    return undefined;
  }
  const { sessionId, itemId } = argument;
  return typeof sessionId === 'string' && SESSION.test(sessionId) && typeof itemId === 'string'
    ? { sessionId, itemId }
    : undefined;
}
