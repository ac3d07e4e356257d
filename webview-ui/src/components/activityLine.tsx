import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { activityLabel, activityText, describeActivity } from '../../../protocol/activity.ts';
import type { Activity, SessionState } from '../../../protocol/session.ts';
import { usePage } from '../page.ts';
import { clock } from '../state/clock.ts';
import { Elapsed } from './elapsed.tsx';
import { Icon, type IconName } from './icon.tsx';
import { UsagePanel } from './lazyParts.tsx';
import { UsageButton } from './usageButton.tsx';
import { VisibleText } from './visibleText.tsx';

const icons: Record<Activity['kind'], IconName> = {
  preparing: 'tool',
  idle: 'circle',
  ready: 'check',
  thinking: 'thought',
  tool: 'terminal',
  waiting: 'question',
  retrying: 'warning',
  stuck: 'warning',
  recovering: 'clock',
  restoring: 'clock',
  moving: 'clock',
  checking: 'check',
  interrupted: 'warning',
  stopping: 'stop',
  checkpointing: 'branch',
  blocked: 'error',
  starting: 'clock',
  archived: 'folder',
};

const QUIET: ReadonlySet<Activity['kind']> = new Set(['idle', 'ready', 'archived', 'interrupted']);

/** What the session is doing, in words, and for how long. There is no spinner that says less. */
export function ActivityLine({ session }: { session: SessionState }): JSX.Element | null {
  const { model } = usePage();
  const [open, setOpen] = useState(false);
  // The row of the list also knows what only the relay sees; it counts as long as it is of the same moment.
  const row = model.summaries.value.find(summary => summary.id === session.id);
  const activity = row?.doing && row.seq === session.seq ? row.doing : describeActivity(session);
  if (activity.kind === 'blocked') {
    // The card below says it, and what to do.
    return null;
  }
  const label = activityLabel(activity);
  const stuck = activity.kind === 'stuck';
  const busy = !QUIET.has(activity.kind);
  return (
    <>
      <div class={`activity ${activity.kind} ${busy ? 'busy' : ''}`} data-activity={activity.kind}>
        <span class="pulse" aria-hidden="true" />
        <Icon name={icons[activity.kind]} />
        <span class="activityLabel" title={label}>
          <VisibleText text={stuck ? activityText(activity, clock.value) : label} />
        </span>
        {busy && !stuck ? <Elapsed since={activity.since} /> : null}
        <UsageButton session={session} open={open} onToggle={() => setOpen(!open)} />
      </div>
      {open ? <UsagePanel session={session} /> : null}
    </>
  );
}
