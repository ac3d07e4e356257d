import type { MessageWay, SettingsChange } from '../../../protocol/composing.ts';
import { SandpiperError } from '../../../protocol/errors.ts';
import type { BlobRef, EventOf } from '../../../protocol/events.ts';
import type { Image } from '../../../protocol/images.ts';
import type { Origin } from '../../../protocol/origin.ts';
import type { Item, SessionState } from '../../../protocol/session.ts';
import { whatToStop } from '../../../protocol/stopping.ts';
import { autopilotNeedsIsolation } from '../core/autopilot.ts';
import type { Agent, RunningSettings } from '../agents/agent.ts';
import { textForAgent } from './appliedReview.ts';
import type { Draft } from './changeBatch.ts';
import { queueMessage, stopTurn } from './personDrafts.ts';
import type { Runtime } from './runtime.ts';

/* What a person's messages and settings change, by the way that they are to go. Pure. */

/** The images of a message, where they are stored and as the agent gets them. */
interface MessageImages {
  refs: BlobRef[];
  contents: readonly Image[];
}

type Message = Extract<Item, { kind: 'message' }>;

/** @throws `conflict` when the session is archived */
export function sendDraft(
  agent: Agent,
  state: SessionState,
  runtime: Runtime,
  message: {
    messageId: string;
    text: string;
    by: string;
    way: MessageWay;
    images: MessageImages;
    origin?: Origin | undefined;
  },
): Draft {
  const { way, images, origin, ...queued } = message;
  const { events } = queueMessage(state, queued);
  const possible = possibleWay(agent, state, runtime, way);
  const [first, ...rest] = events;
  const more = {
    ...(possible === 'queue' ? {} : { way: possible }),
    ...(images.refs.length === 0 ? {} : { images: images.refs }),
    ...(origin === undefined ? {} : { origin }),
  };
  const written = first?.type === 'messageQueued' ? { ...first, ...more } : first;
  const begun = written ? [written, ...rest] : rest;
  switch (possible) {
    case 'queue':
      return { events: begun };
    case 'steer':
      return {
        events: [...begun, { type: 'messageSent', messageId: message.messageId }],
        inputs: [agent.encodeMessage({ ...queued, images: images.contents })],
      };
    case 'interrupt': {
      const stop = stopTurn(agent, state, 'turn', message.by);
      return { ...stop, events: [...begun, ...stop.events] };
    }
  }
}

/** @throws `conflict` when the message is not queued any more, or cannot go that way */
export function hurryDraft(
  agent: Agent,
  state: SessionState,
  runtime: Runtime,
  {
    messageId,
    way,
    by,
    images,
  }: { messageId: string; way: 'steer' | 'interrupt'; by: string; images: readonly Image[] },
): Draft {
  const message = queuedMessage(state, messageId);
  if (possibleWay(agent, state, runtime, way) !== way) {
    throw new SandpiperError('conflict', 'There is no turn at this moment that the message could go before or into.', {
      hint: 'It goes to the agent as soon as that is free.',
    });
  }
  if (way === 'interrupt') {
    const stop = stopTurn(agent, state, 'turn', by);
    return { ...stop, events: [{ type: 'messageHurried', messageId, way, by }, ...stop.events] };
  }
  if (message.submission !== undefined) {
    throw new SandpiperError('conflict', 'A submitted review cannot go into a turn that runs.', {
      hint: 'Stop the turn and send it, or wait for the end of the turn.',
    });
  }
  return {
    events: [
      { type: 'messageHurried', messageId, way, by },
      { type: 'messageSent', messageId },
    ],
    inputs: [agent.encodeMessage({ messageId, text: textForAgent(state, message), images })],
  };
}

/** @throws `conflict` when the agent may have the message already */
export function withdrawDraft(
  state: SessionState,
  { messageId, by }: { messageId: string; by: string },
): Draft & { text: string } {
  const message = queuedMessage(state, messageId);
  if (message.submission !== undefined) {
    throw new SandpiperError('conflict', 'A submitted review cannot be taken back.', {
      hint: 'Stop the turn that it begins, or submit another review.',
    });
  }
  return { text: message.text, events: [{ type: 'messageWithdrawn', messageId, by }] };
}

/** @throws `invalid_params` for autopilot without isolation */
export function configureDraft(
  agent: Agent,
  state: SessionState,
  runtime: Runtime,
  { change, by }: { change: SettingsChange; by: string },
): Draft & { applies: 'now' | 'nextTurn' } {
  const from = settingsOf(state);
  const to = changedSettings(from, change);
  if (to.permissionMode === 'autopilot' && state.isolation === 'none') {
    throw autopilotNeedsIsolation();
  }
  const event: EventOf<'settingsChanged'> = {
    type: 'settingsChanged',
    ...(to.model === from.model ? {} : { model: to.model ?? null }),
    ...(to.effort === from.effort ? {} : { effort: to.effort ?? null }),
    ...(to.permissionMode === from.permissionMode ? {} : { permissionMode: to.permissionMode }),
    by,
  };
  if (Object.keys(event).length === 2) {
    return { applies: isOutdated(state, runtime) ? 'nextTurn' : 'now', events: [] };
  }
  if (!state.agent.running) {
    return { applies: 'now', events: [event] };
  }
  const { inputs, runtime: patch } = settingsInputs(agent, state.agent.segment, runtime, { from, to }, state.seq + 1);
  const applies = patch.outdated === undefined && !isOutdated(state, runtime) ? 'now' : 'nextTurn';
  return { applies, events: [event], inputs, runtime: patch };
}

/** What an agent that runs must hear to work with other settings; one that cannot is outdated. */
export function settingsInputs(
  agent: Agent,
  segment: number,
  runtime: Pick<Runtime, 'settingLines'>,
  { from, to }: { from: RunningSettings; to: RunningSettings },
  requestId: number,
): { inputs: string[]; runtime: Partial<Runtime> } {
  const inputs = agent.encodeSettings?.(from, to, String(requestId));
  return inputs
    ? { inputs, runtime: { settingLines: (runtime.settingLines ?? 0) + inputs.length } }
    : { inputs: [], runtime: { outdated: segment } };
}

export function settingsOf({ model, effort, permissionMode }: SessionState): RunningSettings {
  return { model, effort, permissionMode };
}

/** Whether the agent that runs must be started again before it works on another message. */
export function isOutdated({ agent }: Pick<SessionState, 'agent'>, { outdated }: Pick<Runtime, 'outdated'>): boolean {
  return agent.running && outdated === agent.segment;
}

function changedSettings(from: RunningSettings, change: SettingsChange): RunningSettings {
  return {
    model: change.model === undefined ? from.model : (change.model ?? undefined),
    effort: change.effort === undefined ? from.effort : (change.effort ?? undefined),
    permissionMode: change.permissionMode ?? from.permissionMode,
  };
}

/** Without a turn that runs, and where the agent takes nothing in the middle of one, a message waits for its end. */
function possibleWay(agent: Agent, state: SessionState, runtime: Runtime, way: MessageWay): MessageWay {
  switch (way) {
    case 'queue':
      return way;
    case 'interrupt':
      return whatToStop(state) === 'turn' ? way : 'queue';
    case 'steer': {
      const { running, segment, version } = state.agent;
      const works = state.phase.kind === 'working' && state.turns.some(turn => !turn.agent);
      const stays = running && !state.recovering && runtime.releasing !== segment && !isOutdated(state, runtime);
      return works && stays && version !== undefined && agent.takesInTurn?.(version) === true ? way : 'queue';
    }
  }
}

function queuedMessage({ items, archived }: SessionState, messageId: string): Message {
  const message = items.find((item): item is Message => item.kind === 'message' && item.id === messageId);
  if (message?.delivery !== 'queued' || archived) {
    throw new SandpiperError(
      'conflict',
      message ? 'The agent may have this message already.' : 'There is no such message in the queue.',
      { hint: 'Write another message, or stop the turn.' },
    );
  }
  return message;
}
