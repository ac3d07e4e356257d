import { effect } from '@preact/signals';
import { turnBefore } from '../../../protocol/checkpoints.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { Image } from '../../../protocol/images.ts';
import type { SessionState } from '../../../protocol/session.ts';
import type { Page } from '../page.ts';
import { t } from '../../../protocol/text.ts';

/**
 * Sends a message in the place of the one that began a turn: first files and conversation go back to before it.
 * @throws when nothing was restored; then nothing was sent either
 */
export async function sendFrom(
  { host, model, outbox }: Pick<Page, 'host' | 'model' | 'outbox'>,
  session: SessionState,
  { turn, text, images }: { turn: number; text: string; images: Image[] },
): Promise<void> {
  const to = turnBefore(session.turns, turn);
  const { restore } = await host.request('goBack', { sessionId: session.id, turn: to });
  await new Promise<void>((resolve, reject) => {
    const stop = effect(() => {
      const outcome = outcomeOf(model.session.value, session.id, restore);
      if (outcome === 'waits') {
        return;
      }
      // The first run comes before `stop` is there.
      queueMicrotask(() => stop());
      if (outcome === 'done') {
        resolve();
      } else {
        reject(
          new SandpiperError(
            'unavailable',
            t('The message was not sent, for it is not certain that files and conversation went back.'),
            {
              hint: t('Your text is still here.'),
            },
          ),
        );
      }
    });
  });
  await outbox.send(session.id, text, { images });
}

function outcomeOf(session: SessionState | null, sessionId: string, restore: number): 'waits' | 'done' | 'failed' {
  if (session?.id !== sessionId) {
    return 'failed';
  }
  if (session.seq < restore || session.restoring) {
    return 'waits';
  }
  return session.restores?.some(({ seq }) => seq === restore) === true ? 'done' : 'failed';
}
