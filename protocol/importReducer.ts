import { notice, type Handlers } from './reducerParts.ts';

/* The part of the reducer that follows what was brought in. */

export const importHandlers: Handlers<'sessionImported'> = {
  sessionImported: (_state, { from }, { at, seq, items }) => {
    items.add(notice(seq, at, 'info', `Imported from your own conversation with the agent in ${from.folder}.`));
    return { importedFrom: { id: from.id, folder: from.folder } };
  },
};
