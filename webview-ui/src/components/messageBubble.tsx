import type { JSX } from 'preact';
import type { Item } from '../../../protocol/session.ts';
import type { MessageAction } from '../state/messageActions.ts';
import { clockTime, fullTime, person } from '../text/format.ts';
import { Icon, type IconName } from './icon.tsx';
import { MessageActions, MessageImages, ToldMessage } from './lazyParts.tsx';
import { t } from '../../../protocol/text.ts';

type Message = Extract<Item, { kind: 'message' }>;

interface Delivery {
  icon: IconName;
  word: string;
  meaning: string;
}

const deliveries = (): Record<Message['delivery'], Delivery> => ({
  queued: { icon: 'clock', word: t('Queued'), meaning: t('Saved by the relay; the agent gets it when it is free') },
  sent: { icon: 'check', word: t('Sent'), meaning: t('Handed to the agent') },
  taken: { icon: 'checkAll', word: t('Taken up'), meaning: t('The agent has taken it up') },
});

const steered = (): Partial<Record<Message['delivery'], Delivery>> => ({
  sent: { icon: 'check', word: t('Steering'), meaning: t('With the agent, which takes it up at its next step') },
  taken: { icon: 'checkAll', word: t('Steered'), meaning: t('The agent took it up in the turn that ran') },
});

const next = (): Delivery => ({
  icon: 'clock',
  word: t('Next'),
  meaning: t('The agent gets it as soon as the turn has stopped'),
});

interface MessageBubbleProps {
  sessionId: string;
  item: Message;
  may: MessageAction | undefined;
}

/** What a person wrote, and how far it got. */
export function MessageBubble({ sessionId, item, may }: MessageBubbleProps): JSX.Element {
  const delivery = deliveryOf(item);
  return (
    <div class={`message ${item.delivery}`} data-message={item.id}>
      <h2 class="sr">{t('Message by {0}', person(item.by))}</h2>
      {item.submission || item.origin ? <ToldMessage item={item} /> : <div class="messageText">{item.text}</div>}
      {item.images ? <MessageImages sessionId={sessionId} images={item.images} /> : null}
      <div class="messageFoot">
        {may === undefined ? null : <MessageActions sessionId={sessionId} item={item} may={may} />}
        <time dateTime={new Date(item.at).toISOString()} title={t('By {0}, {1}', person(item.by), fullTime(item.at))}>
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

function deliveryOf({ delivery, way }: Message): Delivery {
  if (way === 'steer') {
    return steered()[delivery] ?? deliveries()[delivery];
  }
  return way === 'interrupt' && delivery === 'queued' ? next() : deliveries()[delivery];
}
