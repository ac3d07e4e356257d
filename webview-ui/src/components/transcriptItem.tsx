import type { JSX } from 'preact';
import type { AnsweredApproval, Item } from '../../../protocol/session.ts';
import type { MessageAction } from '../state/messageActions.ts';
import type { LiveText } from '../state/liveText.ts';
import { Answer } from './answer.tsx';
import { LiveToolInput } from './liveToolInput.tsx';
import { MessageBubble } from './messageBubble.tsx';
import { Notice } from './notice.tsx';
import { Thinking } from './thinking.tsx';
import { ToolCard } from './toolCard.tsx';
import { TurnEndLine } from './turnEnd.tsx';

/** What stands in a row: something that happened, or something that is being written. */
export type RowContent = Item | { kind: 'live'; id: string; live: LiveText };

/** A row with what a subagent did inside of it. */
export interface DrawnRow {
  content: RowContent;
  steps: readonly DrawnRow[];
}

export interface TranscriptItemProps {
  sessionId: string;
  content: RowContent;
  /** What a subagent did inside this tool call. */
  steps: readonly DrawnRow[];
  answered: AnsweredApproval | undefined;
  /** What can be done with it, when it is a message. */
  may?: MessageAction | undefined;
  /** It is of a turn that the agent does not remember any more. */
  aside?: boolean;
}

/** One row of the transcript, by its kind. */
export function TranscriptItem({ sessionId, content, steps, answered, may, aside }: TranscriptItemProps): JSX.Element {
  switch (content.kind) {
    case 'live':
      // A plain call, not a component: the finished item then takes over the same instance, and nothing is drawn twice.
      return written(sessionId, content.live);
    case 'message':
      return <MessageBubble sessionId={sessionId} item={content} may={may} />;
    case 'text':
      return <Answer sessionId={sessionId} text={content.text} />;
    case 'thinking':
      return <Thinking source={content.text.text} />;
    case 'tool':
      return (
        <ToolCard
          sessionId={sessionId}
          item={content}
          answered={answered}
          stepCount={stepCount(steps)}
          steps={steps.map(step => (
            <li key={step.content.id} data-row={step.content.id} tabIndex={-1}>
              <TranscriptItem sessionId={sessionId} content={step.content} steps={step.steps} answered={undefined} />
            </li>
          ))}
        />
      );
    case 'notice':
      return <Notice item={content} />;
    case 'turnEnd':
      return <TurnEndLine sessionId={sessionId} item={content} aside={aside === true} />;
  }
}

/** Those of subagents of subagents too. */
function stepCount(rows: readonly DrawnRow[]): number {
  return rows.reduce((sum, { steps }) => sum + 1 + stepCount(steps), 0);
}

function written(sessionId: string, live: LiveText): JSX.Element {
  switch (live.kind) {
    case 'text':
      return <Answer sessionId={sessionId} text={live.text} />;
    case 'thinking':
      return <Thinking source={live.text} />;
    case 'toolInput':
      return <LiveToolInput live={live} />;
  }
}
