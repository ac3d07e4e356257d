import { existsSync } from 'node:fs';
import { GithubOauth } from '../../server/src/forges/github/oauth.ts';
import { JournalSegment } from '../../server/src/journal/journalSegment.ts';
import { BubblewrapLauncher } from '../../server/src/sandboxes/local/bubblewrapLauncher.ts';
import { LocalSandbox } from '../../server/src/sandboxes/local/localSandbox.ts';
import type { SqliteResult, SqliteValue } from '../../server/src/store/sqlite/sqliteConnection.ts';
import { CONNECT } from '../../server/src/store/sqlite/openDatabase.ts';

/*
 * Loaded into a relay before it starts (`node --import`): stops the process, as SIGSTOP does, the first time that it
 * comes to the point that TEST_STOP_AT names. It stays stopped, whoever wakes it, until the file TEST_STOP_UNTIL is there.
 */

const point = process.env['TEST_STOP_AT'] ?? '';
const until = process.env['TEST_STOP_UNTIL'] ?? '';
let stopped = false;
let applied = false;

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
  case 'apply':
    // A submitted review is about to be brought into the agent's files.
    stopBefore(LocalSandbox.prototype, 'exec', isApply);
    break;
  case 'applied':
    stopBefore(LocalSandbox.prototype, 'exec', afterApply);
    break;
  case 'saving':
    // It is asked for, and the sandbox has not been looked at.
    stopBefore(LocalSandbox.prototype, 'exec', runs('checkpoint.sh', true));
    break;
  case 'placing':
    // Other files are about to take the place of the agent's.
    stopBefore(LocalSandbox.prototype, 'exec', runs('restore-tree.sh'));
    break;
  case 'placed':
    stopAfter(LocalSandbox.prototype, 'exec', runs('restore-tree.sh'));
    break;
  case 'commit':
    stopInCommit();
    break;
  case 'renew':
    // A refresh token is about to be used, which GitHub takes once.
    stopBefore(GithubOauth.prototype, 'refresh');
    break;
  case 'renewed':
    // GitHub has answered, and nothing of it is stored.
    stopAfter(GithubOauth.prototype, 'refresh');
    break;
  case 'begun':
    // A session that nobody began by hand is there, and what asked for it does not know.
    stopBeforeSql('update "trigger_firings"');
    break;
}

/** Comes to the point when what the method does is done. */
function stopAfter(prototype: object, method: string, when: (...args: unknown[]) => boolean = () => true): void {
  const original: unknown = Reflect.get(prototype, method);
  if (typeof original !== 'function') {
    throw new TypeError(`There is no method ${method}.`);
  }
  Reflect.set(prototype, method, async function (this: unknown, ...args: unknown[]): Promise<unknown> {
    const result: unknown = await Reflect.apply(original, this, args);
    if (!stopped && when(...args)) {
      stopOnce();
    }
    return result;
  });
}

/** @param later not the first time: that is a turn's */
function runs(script: string, later = false): (argv: unknown) => boolean {
  let times = 0;
  return argv => {
    const isIt = Array.isArray(argv) && argv.some(part => typeof part === 'string' && part.endsWith(`/${script}`));
    times += isIt ? 1 : 0;
    return isIt && (!later || times > 1);
  };
}

function isApply(argv: unknown): boolean {
  return Array.isArray(argv) && argv.includes('apply-review');
}

/** It is in the files, and no word of it in the log. */
function afterApply(argv: unknown): boolean {
  applied ||= isApply(argv);
  return applied && !isApply(argv);
}

function stopBeforeSql(beginning: string): void {
  const connect = CONNECT.sqlite3;
  CONNECT.sqlite3 = async (file, options) => {
    const connection = await connect(file, options);
    return {
      close: () => connection.close(),
      execute<Row>(sql: string, parameters: readonly SqliteValue[]): Promise<SqliteResult<Row>> {
        if (!stopped && sql.startsWith(beginning)) {
          stopOnce();
        }
        return connection.execute<Row>(sql, parameters);
      },
    };
  };
}

/** In the middle of the first write of a session. It is one statement: held open here as a stop within it holds it. */
function stopInCommit(): void {
  const connect = CONNECT.sqlite3;
  CONNECT.sqlite3 = async (file, options) => {
    const connection = await connect(file, options);
    return {
      close: () => connection.close(),
      async execute<Row>(sql: string, parameters: readonly SqliteValue[]): Promise<SqliteResult<Row>> {
        if (stopped || !sql.startsWith('insert into appends')) {
          return connection.execute<Row>(sql, parameters);
        }
        await connection.execute('begin immediate', []);
        stopOnce();
        const result = await connection.execute<Row>(sql, parameters);
        await connection.execute('commit', []);
        return result;
      },
    };
  };
}
