import type { Handlers } from './reducerParts.ts';

/* The part of the reducer that follows what a person marks a session with. */

export const labelHandlers: Handlers<'sessionPinned' | 'sessionTagged'> = {
  sessionPinned: (_state, { pinned }) => ({ pinned: pinned ? true : undefined }),
  sessionTagged: (_state, { tags }) => ({ tags: tags.length === 0 ? undefined : tags }),
};
