import type { JSX } from 'preact';
import type { Item } from '../../../protocol/session.ts';
import { clockTime, fullTime, person } from '../text/format.ts';
import { Foldable } from './foldable.tsx';
import { Icon, type IconName } from './icon.tsx';

type Message = Extract<Item, { kind: 'message' }>;

const deliveries: Record<Message['delivery'], { icon: IconName; word: string; meaning: string }> = {
  queued: { icon: 'clock', word: 'Queued', meaning: 'Saved by the relay; the agent gets it when it is free' },
  sent: { icon: 'check', word: 'Sent', meaning: 'Handed to the agent' },
  taken: { icon: 'checkAll', word: 'Taken up', meaning: 'The agent has taken it up' },
};

const REVIEW_LINES = 8;

/** What a person wrote, and how far it got. */
export function MessageBubble({ item }: { item: Message }): JSX.Element {
  const delivery = deliveries[item.delivery];
  return (
    <div class={`message ${item.delivery}`} data-message={item.id}>
      <h2 class="sr">Message by {person(item.by)}</h2>
      <MessageText item={item} />
      <div class="messageFoot">
        <time dateTime={new Date(item.at).toISOString()} title={`By ${person(item.by)}, ${fullTime(item.at)}`}>
          {clockTime(item.at)}
        </time>
        <span class="delivery" title={delivery.meaning}>
          <Icon name={delivery.icon} />
          {delivery.word}
        </span>
      </div>
    </div>
  );
}

/** A submitted review is long, and what it is about stands in the diff: its beginning is enough. */
function MessageText({ item }: { item: Message }): JSX.Element {
  if (item.submission === undefined) {
    return <div class="messageText">{item.text}</div>;
  }
  return (
    <Foldable items={item.text.trimEnd().split('\n')} preview={REVIEW_LINES} noun="line">
      {lines => <div class="messageText">{lines.join('\n')}</div>}
    </Foldable>
  );
}
