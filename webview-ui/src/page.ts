import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { Host } from './host/host.ts';
import type { ChatModel } from './state/chatModel.ts';
import type { Drafts } from './state/drafts.ts';
import type { Outbox } from './state/outbox.ts';

/** What every component may use. */
export interface Page {
  host: Host;
  model: ChatModel;
  outbox: Outbox;
  drafts: Drafts;
}

export const PageContext = createContext<Page | undefined>(undefined);

/** @throws outside of the page, which is a defect */
export function usePage(): Page {
  const page = useContext(PageContext);
  if (!page) {
    throw new Error('A component was drawn outside of the page.');
  }
  return page;
}
