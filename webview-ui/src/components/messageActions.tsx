import type { JSX } from 'preact';
import type { Item } from '../../../protocol/session.ts';
import { usePage } from '../page.ts';
import { storedImages } from '../tools/storedImages.ts';
import { beginEdit } from '../state/editing.ts';
import { sendFrom } from '../state/goBack.ts';
import type { MessageAction } from '../state/messageActions.ts';
import { Problem } from './problem.tsx';
import { useAction } from './useAction.ts';
import { t } from '../../../protocol/text.ts';

export interface MessageActionsProps {
  sessionId: string;
  item: Extract<Item, { kind: 'message' }>;
  may: MessageAction;
}

/** What a person can still do with a message of theirs. */
export function MessageActions({ sessionId, item, may }: MessageActionsProps): JSX.Element {
  const page = usePage();
  const { host, drafts, model } = page;
  const action = useAction();
  const of = { sessionId, messageId: item.id };
  const { turn } = item;
  const takeBack = async (): Promise<void> => {
    const images = await storedImages(host, sessionId, item.images);
    const { text } = await host.request('unqueue', of);
    drafts.addImages(sessionId, images);
    const draft = drafts.get(sessionId);
    drafts.set(sessionId, draft === '' ? text : `${text}\n\n${draft}`);
    model.receive({ type: 'compose' });
  };
  const retry = async (): Promise<void> => {
    const session = model.session.peek();
    if (session?.id === sessionId && turn !== undefined) {
      try {
        await sendFrom(page, session, {
          turn,
          text: item.text,
          images: await storedImages(host, sessionId, item.images),
        });
      } catch (thrown) {
        // This row may be set aside by now, and with it the place for what went wrong.
        if (model.session.peek()?.restoring === undefined && drafts.get(sessionId) === '') {
          drafts.set(sessionId, item.text);
        }
        throw thrown;
      }
    }
  };
  const button = (label: string, title: string, work: () => Promise<unknown>): JSX.Element => (
    <button type="button" class="link" title={title} disabled={action.busy} onClick={() => action.run(work)}>
      {label}
    </button>
  );
  return (
    <>
      <span class="messageActions">
        {may === 'hurry' ? (
          <>
            {button(t('Steer'), t('Hand it to the turn that runs, at its next step'), () =>
              host.request('hurry', { ...of, way: 'steer' }),
            )}
            {button(t('Stop and Send'), t('Stop the turn that runs, and hand this over next'), () =>
              host.request('hurry', { ...of, way: 'interrupt' }),
            )}
          </>
        ) : null}
        {may === 'again' && turn !== undefined ? (
          <>
            {button(
              t('Retry'),
              t('Go back to before this message and send it again; what came after is set aside'),
              retry,
            )}
            <button
              type="button"
              class="link"
              title={t('Change it and send it again')}
              onClick={() =>
                action.run(async () => {
                  drafts.addImages(sessionId, await storedImages(host, sessionId, item.images));
                  beginEdit(drafts, sessionId, turn, item.text);
                  model.receive({ type: 'compose' });
                })
              }
            >
              {t('Edit')}
            </button>
          </>
        ) : (
          button(t('Edit'), t('Take it back from the queue, into the field'), takeBack)
        )}
      </span>
      <Problem error={action.error} />
    </>
  );
}
