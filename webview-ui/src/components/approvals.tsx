import type { JSX } from 'preact';
import type { SessionState } from '../../../protocol/session.ts';
import { ApprovalCard } from './approvalCard.tsx';

/** Everything that the agent waits on. */
export function Approvals({ session }: { session: SessionState }): JSX.Element {
  return (
    <div class="approvals">
      {session.approvals.map(approval => (
        <ApprovalCard key={approval.id} sessionId={session.id} approval={approval} />
      ))}
    </div>
  );
}
