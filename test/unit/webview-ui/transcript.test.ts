import assert from 'node:assert/strict';
import type { Item } from '../../../protocol/session.ts';
import { readOlderItems } from '../../../webview-ui/src/state/olderItems.ts';
import { earlierStart, pathTo, toRows, windowStart, type Row } from '../../../webview-ui/src/state/transcript.ts';
import { SessionLog } from '../../support/sessionLog.ts';

const tool = (id: string, parentToolId?: string): Item => ({
  kind: 'tool',
  id,
  at: 0,
  turn: 1,
  name: 'Bash',
  title: id,
  input: { text: '{}' },
  state: 'ok',
  ...(parentToolId === undefined ? {} : { parentToolId }),
});

describe('transcript rows', () => {
  it('puts the steps of a subagent below its call, those of its own subagents below theirs', () => {
    const rows = toRows([tool('a'), tool('b', 'a'), tool('c', 'b'), tool('e', 'a'), tool('d')]);
    const ids = (list: readonly Row[]): unknown[] => list.map(({ item, children }) => [item.id, ...ids(children)]);
    assert.deepEqual(ids(rows), [['a', ['b', ['c']], ['e']], ['d']]);
    assert.deepEqual(pathTo(rows, 'c'), ['a', 'b', 'c']);
    assert.equal(pathTo(rows, 'gone'), undefined);
  });

  it('shows a step whose call is not there', () => {
    assert.deepEqual(
      toRows([tool('b', 'gone')]).map(row => row.item.id),
      ['b'],
    );
  });

  it('cuts old rows only while the reader follows the end', () => {
    assert.equal(windowStart(0, 240, true), 0);
    assert.equal(windowStart(0, 300, true), 100);
    assert.equal(windowStart(0, 3000, false), 0);
    assert.equal(windowStart(500, 30, true), 0);
    assert.equal(earlierStart(300), 100);
    assert.equal(earlierStart(100), 0);
  });
});

describe('older items', () => {
  it('reads from the log what a snapshot left out', async () => {
    const log = new SessionLog();
    log.ready();
    for (let index = 0; index < 30; index++) {
      log.add({ type: 'noticeRaised', level: 'info', text: `notice ${index}` });
    }
    const shown = { ...log.state, items: log.state.items.slice(-5), omittedItems: 25 };
    log.add({ type: 'noticeRaised', level: 'info', text: 'came meanwhile' });
    const pages: number[] = [];
    const items = await readOlderItems(
      {
        request: (_method, params) => {
          const after = 'after' in params ? Number(params.after) : 0;
          pages.push(after);
          const events = log.events.slice(after, after + 10);
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the double answers this one request
          return Promise.resolve({ events, lastSeq: after + events.length } as never);
        },
      },
      shown,
    );
    assert.deepEqual(items, log.state.items.slice(0, 25));
    assert.deepEqual(pages, [0, 10, 20, 30]);
  });
});
