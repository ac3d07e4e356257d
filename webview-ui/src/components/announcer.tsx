import { effect, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { describeActivity } from '../../../protocol/activity.ts';
import type { Activity } from '../../../protocol/session.ts';
import { usePage } from '../page.ts';
import { announcementFor } from '../state/announcements.ts';

/** The one place that a screen reader hears from: changes of state, never the stream. */
export function Announcer(): JSX.Element {
  const { model } = usePage();
  const text = useSignal('');
  useEffect(() => {
    let before: { sessionId: string; kind: Activity['kind'] } | undefined;
    return effect(() => {
      const session = model.session.value;
      if (!session) {
        before = undefined;
        return;
      }
      const activity = describeActivity(session);
      const announcement = announcementFor(before?.sessionId === session.id ? before.kind : undefined, activity);
      before = { sessionId: session.id, kind: activity.kind };
      if (announcement !== undefined) {
        text.value = announcement;
      }
    });
  }, []);
  return (
    <div class="sr" role="status" aria-live="polite" id="announcer">
      {text.value}
    </div>
  );
}
