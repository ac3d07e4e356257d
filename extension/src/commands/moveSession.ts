import * as vscode from 'vscode';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { SessionState } from '../../../protocol/session.ts';
import { t, told } from '../../../protocol/text.ts';
import type { RelayLink } from '../relay/relayLink.ts';
import { moveChoices, mustStop, type MoveChoice } from '../sessions/moveChoices.ts';
import { askConsent } from '../sessions/newSession.ts';

/** Asks where to, and moves a session there. @throws why it was not moved */
export async function moveSession(relay: RelayLink, sessionId: string): Promise<void> {
  const [state, { providers }] = await Promise.all([
    relay.call('session.get', { sessionId }),
    relay.call('relay.info', {}),
  ]);
  const chosen = await vscode.window.showQuickPick(moveChoices(providers, state.provider), {
    title: t('Move Session: {0}', state.title),
    placeHolder: t('The sandbox to move it to'),
    matchOnDescription: true,
    ignoreFocusOut: true,
  });
  // The relay says what is missing at one that is not ready: there is nothing to agree to, and no turn to stop for it.
  if (!chosen || (chosen.ready && !(await agrees(chosen, state)))) {
    return;
  }
  const { move } = await relay.call('session.move', {
    sessionId,
    provider: chosen.provider,
    acceptNoIsolation: chosen.needsConsent,
    stop: chosen.ready && mustStop(state),
  });
  const moved = await vscode.window.withProgress(
    { location: vscode.ProgressLocation.Window, title: t('Sandpiper: moving') },
    () => untilDone(relay, sessionId, move),
  );
  if (moved.provider !== chosen.provider) {
    refuseFailed(moved);
  }
}

/** What the person stopped stands in the chat and is no failure. @throws why it failed */
function refuseFailed({ phase, moving, items }: SessionState): void {
  if (moving && phase.kind === 'blocked') {
    const { message, hint } = phase.failure;
    throw new SandpiperError('unavailable', told(message), { hint });
  }
  const said = items.findLast(item => item.kind === 'notice' && item.level !== 'warning');
  if (said?.kind !== 'notice') {
    throw new SandpiperError('unavailable', t('The session was not moved.'));
  }
  if (said.level === 'error') {
    throw new SandpiperError('unavailable', told(said.text), { hint: said.hint });
  }
}

async function agrees({ needsConsent, label }: MoveChoice, state: SessionState): Promise<boolean> {
  if (needsConsent && !(await askConsent())) {
    return false;
  }
  if (!mustStop(state)) {
    return true;
  }
  const confirm = t('Stop and Move');
  const chosen = await vscode.window.showWarningMessage(
    t('Stop the turn and move to {0}?', label),
    { modal: true, detail: t('The agent is at work: it is stopped first, and what it did becomes a checkpoint.') },
    confirm,
  );
  return chosen === confirm;
}

function untilDone(relay: RelayLink, sessionId: string, move: number): Promise<SessionState> {
  return new Promise(resolve => {
    const following = relay.follow(sessionId, ({ state }) => {
      const isOver = state?.moving?.seq !== move || state.phase.kind === 'blocked';
      if (state && state.seq >= move && isOver) {
        setImmediate(() => following.dispose());
        resolve(state);
      }
    });
  });
}
