import { OutboxFolder } from '../../client/outboxFolder.ts';
import { newId } from '../../protocol/ids.ts';
import { OutboxSender } from '../../protocol/outboxSender.ts';

/* A program that types into an outbox until it is killed: `typeForever.ts <folder> <session>`. Says what is durable. */
const [, , folder = '', sessionId = ''] = process.argv;
const sender = new OutboxSender({
  storage: new OutboxFolder(folder),
  send: () => Promise.reject(new Error('There is no relay.')),
  onChange: () => {},
});
for (let count = 1; ; count++) {
  await sender.put({
    key: newId('key'),
    relay: 'r',
    sessionId,
    content: { kind: 'message', text: `message ${count}` },
  });
  process.stdout.write(`${count}\n`);
}
