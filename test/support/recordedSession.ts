import type { EventBody } from '../../protocol/events.ts';
import { SessionLog } from './sessionLog.ts';

/**
 * A session of moderate length as a relay commits it, group by group: two turns with tools, a question, text, a queued
 * message, an agent that dies and is resumed, a review and a pull request. Without the event that creates it.
 */
export function recordedSession(): EventBody[][] {
  const log = new SessionLog();
  const groups: EventBody[][] = [];
  const add = (events: { body: EventBody }[]): void => void groups.push(events.map(event => event.body));
  add(log.ready());
  add(log.turn(1, 'Make the login test stable'));
  add(log.add({ type: 'thinkingFinished', itemId: 'think1', text: { text: 'It may be the clock.' } }));
  add(log.add({ type: 'textFinished', itemId: 'text1', text: { text: 'Looking at the test — “é”, 日本, 🏖️.' } }));
  add(log.tool('read1', 'Read', 'login.test.ts', { file_path: 'login.test.ts' }, 'x'.repeat(9_000)));
  add(
    log.add(
      {
        type: 'toolStarted',
        toolId: 'bash1',
        name: 'Bash',
        title: 'npm test',
        input: { text: '{"command":"npm test"}' },
      },
      {
        type: 'approvalAsked',
        approvalId: 'ask1',
        kind: 'tool',
        toolId: 'bash1',
        name: 'Bash',
        title: 'npm test',
        input: { text: '{"command":"npm test"}' },
        canAlwaysAllow: true,
      },
    ),
  );
  add(log.add({ type: 'approvalAnswered', approvalId: 'ask1', decision: { kind: 'allow' }, by: 'owner' }));
  add(log.add({ type: 'toolFinished', toolId: 'bash1', outcome: 'ok', output: { text: 'ok '.repeat(200) } }));
  add(log.add({ type: 'modelRetrying', attempt: 1, maxAttempts: 10, delayMs: 500, status: 529, message: 'busy' }));
  add(
    log.add(
      { type: 'agentEnded', segment: 1, exitCode: 137, expected: false, cause: 'The agent was killed.' },
      { type: 'recoveryStarted', by: 'relay', attempt: 1, delayMs: 0, cause: 'The agent was killed.' },
      { type: 'agentStarted', agent: 'claude', version: '2.1.328', segment: 2, resumed: true },
    ),
  );
  add(log.turn(2, 'Go on'));
  add(log.add({ type: 'textFinished', itemId: 'text2', text: { text: 'Fixed.' } }));
  add(log.finish(2));
  add(
    log.add({
      type: 'reviewDecided',
      verdict: 'accept',
      files: [],
      decided: 1,
      accepted: 'b'.repeat(40),
      proposed: 'b'.repeat(40),
      review: { pendingFiles: 0, pending: 0, reviewed: 1 },
      stats: { files: 1, insertions: 1, deletions: 0 },
      by: 'owner',
    }),
  );
  return groups;
}
