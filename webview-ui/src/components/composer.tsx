import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { MessageWay } from '../../../protocol/composing.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { whatToStop } from '../../../protocol/stopping.ts';
import { usePage } from '../page.ts';
import { editDraft, editedTurn, endEdit } from '../state/editing.ts';
import { AttachButton } from './attachButton.tsx';
import { Icon } from './icon.tsx';
import { AttachedImages, EditBanner, seldom } from './lazyParts.tsx';
import { MessageField } from './messageField.tsx';
import { Picker } from './picker.tsx';
import { Problem } from './problem.tsx';
import { SettingsPickers } from './settingsPickers.tsx';
import { useAction } from './useAction.ts';
import { useImageFiles } from './useImageFiles.ts';
import { t } from '../../../protocol/text.ts';

const ways = (): readonly (readonly [MessageWay, string])[] => [
  ['queue', t('Queue')],
  ['steer', t('Steer')],
  ['interrupt', t('Stop and Send')],
];
const meanings = (): Record<MessageWay, string> => ({
  queue: t('Queued until this turn ends'),
  steer: t('Goes into this turn, at the next step of the agent'),
  interrupt: t('Stops this turn and comes next'),
});

/** Where the next message is written. While the agent works it can wait, go into the turn, or stop it; the choice says so. */
export function Composer({ session }: { session: SessionState }): JSX.Element {
  const page = usePage();
  const { host, drafts, outbox } = page;
  const stop = useAction();
  const again = useAction();
  const [way, setWay] = useState<MessageWay>('queue');
  const { kind } = session.phase;
  const stoppable = whatToStop(session) !== undefined;
  const busy = stoppable || kind === 'checkpointing';
  const works = kind === 'working';
  const edited = editedTurn(drafts, session.id);
  const draftId = edited === undefined ? session.id : editDraft(session.id, edited);
  const draft = drafts.get(draftId);
  const chosen = works ? way : 'queue';
  const history = useMemo(() => ownMessages(session), [session.items]);
  const files = useImageFiles(session.id, session.archived);
  const unready = session.archived || again.busy || files.action.busy;
  const submit = (wanted: MessageWay = chosen): void => {
    const text = draft.trim();
    if (text === '' || unready) {
      return;
    }
    if (edited !== undefined) {
      again.run(async () => {
        // Seldom needed, so it is not loaded with the page.
        const { sendFrom } = await seldom();
        await sendFrom(page, session, { turn: edited, text, images: [...drafts.imagesOf(session.id)] });
        drafts.takeImages(session.id);
        endEdit(drafts, session.id);
      });
      return;
    }
    drafts.set(session.id, '');
    void outbox.send(session.id, text, { way: works ? wanted : 'queue', images: drafts.takeImages(session.id) });
  };
  const label = buttonWord(edited !== undefined, works, busy, chosen);
  return (
    <form
      class="composer"
      {...files.events}
      onSubmit={event => {
        event.preventDefault();
        submit();
      }}
    >
      {edited === undefined ? null : <EditBanner session={session} turn={edited} />}
      <div class="field">
        <MessageField
          key={draftId}
          sessionId={session.id}
          draftId={draftId}
          label={edited === undefined ? t('Message to the agent') : t('Message of turn {0}', edited)}
          placeholder={busy ? t('Add a follow-up') : t('Reply to the agent')}
          rows={1}
          history={history}
          onSubmit={submit}
        />
        {drafts.imagesOf(session.id).length === 0 ? null : <AttachedImages draftId={session.id} />}
        <div class="fieldFoot">
          <span class="settings">
            <AttachButton disabled={unready} onClick={files.choose} />
            <SettingsPickers session={session} />
          </span>
          <span class="sending">
            {stoppable ? (
              <StopButton
                session={session}
                onStop={() => stop.run(() => host.request('stop', { sessionId: session.id }))}
                busy={stop.busy}
              />
            ) : null}
            {works && edited === undefined ? (
              <Picker label={t('How to send')} title={meanings()[way]} value={way} options={ways()} onChange={setWay} />
            ) : null}
            <button
              type="submit"
              class="primary send"
              disabled={draft.trim() === '' || unready}
              title={
                works
                  ? t('{0} (Enter). Steer: Ctrl+Enter. Stop and send: Ctrl+Shift+Enter', label)
                  : t('{0} (Enter)', label)
              }
            >
              <Icon name="send" />
              <span>{again.busy ? t('Going back…') : label}</span>
            </button>
          </span>
        </div>
      </div>
      <span class="hint" aria-live="polite">
        {busy && draft.trim() !== '' && edited === undefined ? meanings()[chosen] : ''}
      </span>
      <Problem error={files.action.error} />
      <Problem error={stop.error} />
      <Problem error={again.error} />
    </form>
  );
}

function StopButton({
  session,
  busy,
  onStop,
}: {
  session: SessionState;
  busy: boolean;
  onStop: () => void;
}): JSX.Element {
  const stopping = session.phase.kind === 'stopping';
  return (
    <button
      type="button"
      class="secondary stop"
      disabled={busy || stopping}
      title={t('Stop; the work so far is kept')}
      onClick={onStop}
    >
      <Icon name="stop" /> {stopping ? t('Stopping') : t('Stop')}
    </button>
  );
}

/** What the button does: send anew, as chosen while the agent works, or at once. */
function buttonWord(edited: boolean, works: boolean, busy: boolean, way: MessageWay): string {
  return edited ? t('Send Again') : works ? wordOf(way) : busy ? t('Queue') : t('Send');
}

function wordOf(way: MessageWay): string {
  return ways().find(([each]) => each === way)?.[1] ?? t('Queue');
}

/** What was sent in this session, the newest first, each text once. Reviews are not messages that one writes again. */
function ownMessages({ items }: SessionState): string[] {
  const texts = items.flatMap(item => (item.kind === 'message' && item.submission === undefined ? [item.text] : []));
  return [...new Set(texts.reverse())];
}
