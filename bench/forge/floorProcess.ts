import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import express from 'express';
import sqlite3 from 'sqlite3';
import { serveHelper, startHelper, type HelperProcess } from '../support/helperProcess.ts';

/*
 * The least that takes a webhook: express, the signature over the raw bytes, one row in SQLite with the durability of the
 * relay, the answer. Forked, this file is that process.
 */

export type FloorProcess = HelperProcess<typeof questions>;

export function startFloorProcess(): FloorProcess {
  return startHelper<typeof questions>(import.meta.filename);
}

const questions = {
  /** @returns its address */
  async open({ file, secret }: { file: string; secret: string }): Promise<string> {
    const database = new sqlite3.Database(file);
    const run = (sql: string, values: unknown[] = []): Promise<void> =>
      new Promise((resolve, reject) =>
        database.run(sql, values, error => (error === null ? resolve() : reject(error))),
      );
    await run('pragma journal_mode = wal');
    await run('pragma synchronous = normal');
    await run('create table deliveries (id text primary key, event text, at integer, body text)');
    const app = express();
    app.post(
      '/webhooks/github',
      express.raw({ type: 'application/json', limit: 5_000_000 }),
      async (request, response) => {
        const body: unknown = request.body;
        const text = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
        const expected = Buffer.from(`sha256=${createHmac('sha256', secret).update(text).digest('hex')}`);
        const given = Buffer.from(request.get('x-hub-signature-256') ?? '');
        if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
          response.status(401).json({});
          return;
        }
        const values = [request.get('x-github-delivery'), request.get('x-github-event'), Date.now(), text.toString()];
        await run('insert into deliveries values (?, ?, ?, ?) on conflict do nothing', values);
        response.status(202).json({ accepted: true });
      },
    );
    const server = createServer(app).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  },
};

if (process.argv[1] === import.meta.filename) {
  serveHelper(questions);
}
