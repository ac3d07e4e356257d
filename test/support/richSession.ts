import { SessionLog } from './sessionLog.ts';

/** A session in which everything that the page can show is on show. */
export function richSession(): SessionLog {
  const log = new SessionLog();
  log.ready();
  log.turn(1, 'Fix the login');
  log.add({ type: 'commandsFound', commands: ['compact'] });
  log.add({ type: 'thinkingFinished', itemId: 'th', text: { text: 'I should look at the **code**.' } });
  log.tool('r1', 'Read', 'Read a.ts', { file_path: 'a.ts' }, 'x');
  log.tool('r2', 'Read', 'Read b.ts', { file_path: 'b.ts' }, 'x');
  log.tool('e', 'Edit', 'Edit a.ts', { file_path: 'src/a.ts', old_string: 'a\nb', new_string: 'a\nc' }, 'ok');
  log.tool(
    'b',
    'Bash',
    'npm test',
    { command: 'npm test' },
    Array.from({ length: 40 }, (_, n) => `line ${n}`).join('\n'),
  );
  log.add(
    { type: 'toolStarted', toolId: 'f', name: 'Bash', title: 'false', input: { text: '{"command":"false"}' } },
    { type: 'toolFinished', toolId: 'f', outcome: 'failed', output: { text: 'exit 1' } },
    { type: 'toolStarted', toolId: 'a', name: 'Agent', title: 'Explore', input: { text: '{"prompt":"Look"}' } },
    { type: 'taskStarted', toolId: 'a' },
    { type: 'textFinished', itemId: 'deep', text: { text: 'Seen' }, parentToolId: 'a' },
    { type: 'noticeRaised', level: 'warning', text: 'Careful', hint: 'Run `npm test` again' },
    {
      type: 'textFinished',
      itemId: 'x',
      text: {
        text: '# Title\n\nThe [link](https://example.com/) and `code`.\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> quoted\n\n```ts\nconst answer = "42"; // the answer\n```\n\nשלום עולם',
      },
    },
    { type: 'contextMeasured', tokens: 170_000, window: 200_000 },
    {
      type: 'todosChanged',
      changes: [
        { id: '1', text: 'Read', status: 'done' },
        { id: '2', text: 'Write', status: 'active' },
        { id: '3', text: 'Test' },
      ],
      replaces: true,
    },
  );
  log.finish(1);
  log.turn(2, 'And now שלום עולם');
  log.add({
    type: 'approvalAsked',
    approvalId: 'ask',
    kind: 'tool',
    name: 'Bash',
    title: 'rm -r build',
    input: { text: '{"command":"rm -r build"}' },
    canAlwaysAllow: true,
  });
  return log;
}
