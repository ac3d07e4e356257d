import { listRefOwners, listSessionRefs, removeRefs } from '../git/sessionRefs.ts';
import type { Dependencies } from '../sessions/dependencies.ts';
import type { Inventory } from './garbage.ts';

type Owners = Pick<Dependencies, 'conversations' | 'mirrors' | 'store'>;

/** Conversations and refs in mirrors with the sessions that they are of, whether there are such sessions or not. */
export async function listOwned({ conversations, mirrors }: Owners, now: number): Promise<Inventory['owned']> {
  const refs: { sessionId: string; bytes: number; ageMs: number }[] = [];
  for (const repositoryId of await mirrors.list()) {
    const mirror = mirrors.open(repositoryId);
    const owners = mirror ? await listRefOwners(mirror, now) : [];
    refs.push(...owners.map(owner => ({ ...owner, bytes: 0 })));
  }
  return [...(await conversations.list(now)), ...refs];
}

/** Removes all that there is of a session that there is not. @returns whether it is gone */
export async function removeOwned({ conversations, mirrors, store }: Owners, sessionId: string): Promise<boolean> {
  // One may have come since it was looked for.
  if (await store.readSession(sessionId)) {
    return false;
  }
  for (const repositoryId of await mirrors.list()) {
    const mirror = mirrors.open(repositoryId);
    if (mirror) {
      const refs = await listSessionRefs(mirror, sessionId);
      await removeRefs(
        mirror,
        refs.map(({ name }) => name),
      );
    }
  }
  await conversations.remove(sessionId);
  return true;
}
