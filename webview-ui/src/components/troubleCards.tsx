import type { JSX } from 'preact';
import type { SessionState } from '../../../protocol/session.ts';
import { BlockedCard } from './blockedCard.tsx';
import { RecoverCard } from './recoverCard.tsx';
import { RestoreCard } from './restoreCard.tsx';

/** What keeps a session from going on as usual, and the way on. */
export function TroubleCards({ session }: { session: SessionState }): JSX.Element {
  return (
    <>
      <BlockedCard session={session} />
      <RecoverCard session={session} />
      <RestoreCard session={session} />
    </>
  );
}
