import type { EventBody, LiveItem } from './events.ts';

/**
 * A piece of text that was just written. `offset` is the UTF-16 length of what came before it. At 0 the item begins anew;
 * an empty text at 0 withdraws it, because the attempt broke and comes again under another name.
 */
export type LiveDelta = Omit<LiveItem, 'text'> & { offset: number; text: string };

/**
 * The text that is being written after one more piece. A piece that starts before the end of what is known rewrites from
 * there. Undefined when it starts beyond it: the text between is missing, and the finished item will bring it.
 */
export function withDelta(live: readonly LiveItem[], delta: LiveDelta): readonly LiveItem[] | undefined {
  const { offset, text, ...rest } = delta;
  const known = live.find(item => item.itemId === delta.itemId);
  if (offset > (known?.text.length ?? 0)) {
    return undefined;
  }
  if (offset === 0 && text === '') {
    return live.filter(item => item !== known);
  }
  const item: LiveItem = { ...rest, text: (known?.text ?? '').slice(0, offset) + text };
  return known ? live.map(other => (other === known ? item : other)) : [...live, item];
}

/** The text that is still being written after an event of the log: what the event brought whole is no longer live. */
export function withoutFinished(live: readonly LiveItem[], body: EventBody): readonly LiveItem[] {
  if (live.length === 0) {
    return live;
  }
  switch (body.type) {
    case 'textFinished':
    case 'thinkingFinished':
      return live.filter(item => item.itemId !== body.itemId);
    case 'toolStarted':
      return live.filter(item => item.itemId !== body.toolId);
    case 'agentFinished':
    case 'agentEnded':
      return [];
    default:
      return live;
  }
}
