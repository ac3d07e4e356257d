import type { Blamed } from '../../../protocol/blame.ts';
import { idPattern } from '../../../protocol/ids.ts';

/* What the editor says of where a line comes from. Pure, no `vscode`. */

/** A paragraph: plain text that may be an agent's, or words of ours. */
export type Paragraph = { kind: 'heading' | 'ours' | 'theirs'; text: string };

const MAX_PROMPT_LINES = 6;

/** @param now milliseconds since the epoch */
export function originText({ origin, accepted, acceptedBy }: Blamed, now: number): Paragraph[] {
  const state = accepted ? `Accepted${acceptedBy === undefined ? '' : ` by ${acceptedBy}`}.` : 'Not reviewed yet.';
  switch (origin.kind) {
    case 'base':
      return [{ kind: 'ours', text: 'This line was there before the session.' }];
    case 'unknown':
      return [{ kind: 'ours', text: 'The log does not say where this line comes from.' }];
    case 'reviewer':
      return [
        { kind: 'heading', text: `Written in the review, by ${origin.by}` },
        {
          kind: 'ours',
          text:
            origin.submission === undefined ? state : `${state} Handed to the agent with review ${origin.submission}.`,
        },
      ];
    case 'turn': {
      const { turn, startedAt, costUsd, model, prompt, tools, certain } = origin;
      const cost = costUsd === 0 ? [] : [`the turn cost $${costUsd.toFixed(costUsd < 0.1 ? 4 : 2)}`];
      const facts = [ageText(now - startedAt), ...(model === undefined ? [] : [model]), ...cost];
      return [
        { kind: 'heading', text: `Written by the agent in turn ${turn}` },
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
    { kind: 'ours', text: certain ? 'With this tool call:' : tools.length === 1 ? 'Probably with:' : 'With one of:' },
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
    return minutes === 0 ? 'Just now' : `${minutes} min ago`;
  }
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h ago` : `${Math.round(hours / 24)} days ago`;
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
