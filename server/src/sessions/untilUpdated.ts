import { SandpiperError } from '../../../protocol/errors.ts';
import type { SessionState } from '../../../protocol/session.ts';
import type { Session } from './session.ts';
import type { Sessions } from './sessions.ts';

/** Making a sandbox again can take long; the update goes on when nobody waits. */
const MAX_WAIT_MS = 10 * 60_000;
const PAGE = 100;

/**
 * Resolves when no update from the base is under way.
 * @throws why it does not go on, or `timeout`
 */
export async function untilUpdated(sessions: Sessions, session: Session): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const end = (why?: SandpiperError): void => {
      clearTimeout(timer);
      following.dispose();
      if (why) {
        reject(why);
      } else {
        resolve();
      }
    };
    const look = (): void => {
      const { state } = session.log;
      const stopped = whyStopped(state);
      if (!state.updating || stopped) {
        end(state.updating ? stopped : undefined);
      }
    };
    const timer = setTimeout(() => end(stillUnderWay()), MAX_WAIT_MS);
    const following = sessions.follow(session.id, { onEvents: look, onDelta: () => {} });
    look();
  });
}

function stillUnderWay(): SandpiperError {
  return new SandpiperError('timeout', 'The update from the base is still under way.', {
    hint: 'Look at the session, and ask again when it is done.',
  });
}

function whyStopped({ archived, phase }: SessionState): SandpiperError | undefined {
  if (archived) {
    return new SandpiperError('conflict', 'The session was archived before its update was done.', {
      hint: 'Bring it back: the update then goes on.',
    });
  }
  return phase.kind === 'blocked'
    ? new SandpiperError('conflict', `The update could not be finished: ${phase.failure.message}`, {
        hint: 'Recover the session: the update then goes on. Ask again when it is done.',
      })
    : undefined;
}

/** Why the update of this seq changed nothing; undefined when it was done. */
export async function failureOfUpdate(
  sessions: Sessions,
  sessionId: string,
  update: number,
): Promise<SandpiperError | undefined> {
  for (let after = update; ;) {
    const events = await sessions.read(sessionId, after, PAGE);
    for (const { body } of events) {
      if (body.type === 'baseUpdated' && body.update === update) {
        return undefined;
      }
      if (body.type === 'baseUpdateFailed' && body.update === update) {
        const { message, hint } = body.failure;
        return new SandpiperError('conflict', message, { hint });
      }
    }
    const last = events.at(-1);
    if (!last) {
      return undefined;
    }
    after = last.seq;
  }
}
