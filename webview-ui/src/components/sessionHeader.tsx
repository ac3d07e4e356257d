import type { JSX } from 'preact';
import type { Isolation, PermissionMode } from '../../../protocol/events.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { usePage } from '../page.ts';
import { Icon } from './icon.tsx';
import { useAction } from './useAction.ts';

const isolations: Record<Isolation, string> = {
  none: 'No isolation',
  process: 'Process sandbox',
  container: 'Container',
  vm: 'Virtual machine',
};
const modes: Record<PermissionMode, string> = {
  ask: 'Asks',
  acceptEdits: 'Accepts edits',
  plan: 'Plans',
  autopilot: 'Autopilot',
};

/** What this session is: its title, where it works, how it is kept apart, what it may do. */
export function SessionHeader({ session }: { session: SessionState }): JSX.Element {
  const { isolation } = session;
  return (
    <header class="sessionHeader">
      <div class="titleLine">
        <h2 class="title" title={session.title}>
          {session.title}
        </h2>
        <OthersNeedYou sessionId={session.id} />
      </div>
      <p class="facts">
        <span title={session.repository.source}>
          <Icon name="folder" />
          {session.repository.name}
        </span>
        {session.repository.branch === undefined ? null : (
          <span title={`Started from ${session.base}`}>
            <Icon name="branch" />
            {session.repository.branch}
          </span>
        )}
        <span class={isolation === 'none' ? 'attention' : ''} title={`Provider: ${session.provider}`}>
          <Icon name={isolation === 'none' ? 'warning' : 'shield'} />
          {isolations[isolation]}
        </span>
        <span title="What the agent may do without asking">{modes[session.permissionMode]}</span>
        {session.model === undefined ? null : <span title="Model">{session.model}</span>}
      </p>
    </header>
  );
}

function OthersNeedYou({ sessionId }: { sessionId: string }): JSX.Element | null {
  const { host, model } = usePage();
  const action = useAction();
  const others = model.summaries.value.filter(other => other.id !== sessionId && !other.archived && other.needsYou > 0);
  const first = others[0];
  if (!first || host.kind === 'browser') {
    return null;
  }
  return (
    <button
      type="button"
      class="link attention"
      title={first.title}
      onClick={() => action.run(() => host.request('selectSession', { sessionId: first.id }))}
    >
      {others.length === 1 ? '1 other needs you' : `${others.length} others need you`}
    </button>
  );
}
