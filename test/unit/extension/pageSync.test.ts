import assert from 'node:assert/strict';
import { PageSync } from '../../../extension/src/chat/pageSync.ts';
import type { EventBody, LiveItem, SessionEvent } from '../../../protocol/events.ts';
import { newId } from '../../../protocol/ids.ts';
import { reduceSession } from '../../../protocol/reducer.ts';
import type { SessionState } from '../../../protocol/session.ts';
import type { HostMessage } from '../../../protocol/webviewApi.ts';

const sessionId = newId('ses');

const bodies: EventBody[] = [
  {
    type: 'sessionCreated',
    title: 'Fix',
    repository: { id: 'r', name: 'r', source: '/r' },
    base: 'a'.repeat(40),
    includesUncommitted: false,
    provider: 'local',
    isolation: 'process',
    agent: 'claude',
    permissionMode: 'ask',
  },
  { type: 'turnStarted', turn: 1, messageIds: [] },
  { type: 'textFinished', itemId: 'one', text: { text: 'Hello, world' } },
  { type: 'noticeRaised', level: 'info', text: 'Note' },
];
const events: SessionEvent[] = bodies.map((body, index) => ({ seq: index + 1, at: index, body }));

function stateAt(seq: number): SessionState {
  let state: SessionState | undefined;
  for (const event of events.slice(0, seq)) {
    state = reduceSession(state, event, sessionId);
  }
  assert.ok(state);
  return state;
}

function text(value: string, itemId = 'one'): LiveItem {
  return { itemId, kind: 'text', text: value };
}

/** What a page makes of the messages: it folds as the real one does and fails on a gap. */
class Page {
  state: SessionState | undefined;
  live = new Map<string, string>();

  take(messages: HostMessage[]): void {
    for (const message of messages) {
      if (message.type === 'open') {
        this.state = message.state ?? undefined;
        this.live = new Map(message.live.map(item => [item.itemId, item.text]));
      } else if (message.type === 'events') {
        for (const event of message.events) {
          this.state = reduceSession(this.state, event, sessionId);
        }
      } else if (message.type === 'delta') {
        const known = this.live.get(message.itemId) ?? '';
        assert.ok(message.offset <= known.length, 'text is missing before the delta');
        this.live.set(message.itemId, known.slice(0, message.offset) + message.text);
      }
    }
  }
}

describe('following a session with a page', () => {
  it('sends one message for all events and one for each growing text of a frame', () => {
    const sync = new PageSync(sessionId);
    sync.open(stateAt(1), []);
    sync.add(events.slice(1, 2));
    sync.add(events.slice(3, 4));
    const messages = sync.flush([text('Hello'), text('{', 'two')]);
    assert.deepEqual(
      messages.map(message => message.type),
      ['events', 'delta', 'delta'],
    );
    assert.deepEqual(sync.flush([text('Hello'), text('{', 'two')]), []);
  });

  it('sends only what grew, and begins anew when text was rewritten', () => {
    const sync = new PageSync(sessionId);
    sync.open(stateAt(2), [text('Hel')]);
    assert.deepEqual(sync.flush([text('Hello')]), [
      { type: 'delta', sessionId, itemId: 'one', kind: 'text', offset: 3, text: 'lo' },
    ]);
    assert.deepEqual(sync.flush([text('Bye')]), [
      { type: 'delta', sessionId, itemId: 'one', kind: 'text', offset: 0, text: 'Bye' },
    ]);
  });

  it('brings a page that comes back up to date with just what it missed', () => {
    const sync = new PageSync(sessionId);
    const page = new Page();
    page.take([sync.open(stateAt(1), [])]);
    sync.add(events.slice(1));
    // Nothing was flushed while it was away.
    const messages = sync.resume(1, stateAt(4), [text('live', 'two')]);
    assert.equal(messages[0]?.type, 'events');
    page.take(messages);
    assert.deepEqual(page.state, stateAt(4));
    assert.equal(page.live.get('two'), 'live');
    assert.deepEqual(sync.flush([text('live', 'two')]), []);
  });

  it('sends the session whole when it cannot know what is missing', () => {
    const behind = new PageSync(sessionId);
    behind.add(events.slice(3));
    assert.equal(behind.resume(1, stateAt(4), [])[0]?.type, 'open');
    const ahead = new PageSync(sessionId);
    assert.equal(ahead.resume(9, stateAt(4), [])[0]?.type, 'open');
    const replaced = new PageSync(sessionId);
    replaced.add(events.slice(1));
    replaced.forget();
    assert.equal(replaced.resume(1, stateAt(4), [])[0]?.type, 'open');
  });

  it('never sends an event twice: what went with the whole session is not flushed again', () => {
    const sync = new PageSync(sessionId);
    const page = new Page();
    sync.add(events.slice(1, 3));
    page.take([sync.open(stateAt(3), [])]);
    sync.add(events.slice(3));
    page.take(sync.flush([]));
    assert.deepEqual(page.state, stateAt(4));
  });
});
