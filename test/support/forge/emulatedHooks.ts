import type { EmulatedComment, EmulatedReview } from './emulatedTalk.ts';

/** What a forge tells by a webhook. */
export interface EmulatedEvent {
  event: string;
  payload: object;
}

/** What a forge tells of what happened in one emulated repository. */
export interface EmulatedHooks {
  /** Gives the label first. */
  labelled(number: number, label: string, by: string): EmulatedEvent;
  commented(comment: EmulatedComment): EmulatedEvent;
  /** One for each thing that the forge tells of by itself. */
  reviewed(review: EmulatedReview): Promise<EmulatedEvent[]>;
  closed(number: number, by: string): Promise<EmulatedEvent>;
}
