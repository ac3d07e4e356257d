import assert from 'node:assert/strict';
import { SessionLog, commit } from '../support/sessionLog.ts';
import { command, specOf } from '../support/specs.ts';
import type { ThemeName } from '../support/vscodeThemes.ts';
import { openWebviewPage } from '../support/webviewPage.ts';
import { useWebview } from '../support/webviewSuite.ts';
import { screenshot } from '../support/workbench.ts';

const HOSTILE = '<img src=x onerror=alert(1)>';

/** A build in its second round, with a check under way. */
function building(): SessionLog {
  const log = new SessionLog();
  log.ready();
  const document = specOf('A greeting', {
    'Greets people': [command('npm test'), { kind: 'file', path: 'README.md' }],
    [`Says ${HOSTILE}`]: [command('npm run lint'), { kind: 'question', question: 'Does it read well?' }],
  });
  const spec = { specId: `spc_${'1'.repeat(26)}`, revision: 2, title: document.title };
  log.add({ type: 'specWorkStarted', kind: 'build', spec, document, by: 'owner' });
  const work = log.state.seq;
  log.turn(1, 'Build what this spec says.');
  const output = { text: `not ok 1 ${HOSTILE}\n` };
  const result = { type: 'specChecked', work, round: 1, durationMs: 1200 } as const;
  log.add(
    { type: 'specRoundStarted', work, round: 1, turn: 1, commit: commit('b') },
    { ...result, check: '1.1', outcome: 'failed', detail: 'Exit code 1 instead of 0.', output },
    { ...result, check: '1.2', outcome: 'passed', detail: 'README.md is in the checkpoint.' },
  );
  return log;
}

describe('the spec in the chat', function () {
  this.timeout(60_000);
  const { browser, server } = useWebview();

  for (const theme of ['dark', 'light'] satisfies ThemeName[]) {
    it(`shows each item with its checks and the evidence, ${theme}`, async () => {
      const log = building();
      const chat = await openWebviewPage(browser(), server().url, { theme });
      try {
        await chat.tell({ type: 'open', sessionId: log.id, state: log.state, live: [] });
        const card = chat.page.locator('details', { hasText: 'A greeting' }).first();
        await card.getByText('Building: 0 of 2 items pass').click();
        await card.getByText('Exit code 1 instead of 0.').waitFor();
        await card.getByText('README.md is in the checkpoint.').waitFor();
        assert.equal(await card.getByText('Running').count(), 1, 'the check that is under way');
        await card.getByText('What it printed').click();
        await card.getByText(`not ok 1 ${HOSTILE}`).waitFor();
        assert.equal(await card.locator('img').count(), 0);
        await screenshot(chat.page.locator('body'), `spec-card-${theme}`);
        const work = log.state.spec?.seq ?? 0;
        const reason = 'The build was stopped.';
        const added = log.add({ type: 'specWorkEnded', work, outcome: 'stopped', reason });
        await chat.tell({ type: 'events', sessionId: log.id, events: added });
        await card.getByText('Stopped: 0 of 2 items pass').waitFor();
        assert.deepEqual(chat.problems, []);
      } finally {
        await chat.close();
      }
    });
  }
});
