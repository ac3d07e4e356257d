import { existsSync } from 'node:fs';
import { JournalSegment } from '../../server/src/journal/journalSegment.ts';
import { BubblewrapLauncher } from '../../server/src/sandboxes/local/bubblewrapLauncher.ts';
import { LocalSandbox } from '../../server/src/sandboxes/local/localSandbox.ts';
import { CONNECT } from '../../server/src/store/sqlite/openDatabase.ts';

/*
 * Loaded into a relay before it starts (`node --import`): stops the process, as SIGSTOP does, the first time that it
 * comes to the point that TEST_STOP_AT names. It stays stopped, whoever wakes it, until the file TEST_STOP_UNTIL is there.
 */

const point = process.env['TEST_STOP_AT'] ?? '';
const until = process.env['TEST_STOP_UNTIL'] ?? '';
let stopped = false;

function stopOnce(): void {
  while (!existsSync(until) && (!stopped || until !== '')) {
    stopped = true;
    process.kill(process.pid, 'SIGSTOP');
  }
}

/** Comes to the point before the method does anything. */
function stopBefore(prototype: object, method: string, when: (...args: unknown[]) => boolean = () => true): void {
  const original: unknown = Reflect.get(prototype, method);
  if (typeof original !== 'function') {
    throw new TypeError(`There is no method ${method}.`);
  }
  Reflect.set(prototype, method, function (this: unknown, ...args: unknown[]): unknown {
    if (!stopped && when(...args)) {
      stopOnce();
    }
    return Reflect.apply(original, this, args);
  });
}

switch (point) {
  case 'input':
    // Durable in the store, not yet in the sandbox.
    stopBefore(JournalSegment.prototype, 'write');
    break;
  case 'start':
    // `starting` is in the log.
    stopBefore(JournalSegment.prototype, 'start');
    break;
  case 'spawn':
    // Whatever is checked before a start has been checked.
    stopBefore(BubblewrapLauncher.prototype, 'start');
    break;
  case 'kill':
    stopBefore(LocalSandbox.prototype, 'kill', name => typeof name === 'string' && name.startsWith('agent-'));
    break;
  case 'commit':
    stopInCommit();
    break;
}

/** In the middle of the first transaction that creates a session. */
function stopInCommit(): void {
  const connect = CONNECT.sqlite3;
  CONNECT.sqlite3 = async (file, options) => {
    const connection = await connect(file, options);
    let writesSession = false;
    return {
      close: () => connection.close(),
      execute: (sql, parameters) => {
        writesSession ||= /insert into sessions/.test(sql);
        if (sql === 'commit' && writesSession && !stopped) {
          stopOnce();
        }
        return connection.execute(sql, parameters);
      },
    };
  };
}
