import assert from 'node:assert/strict';
import type { Browser, Locator, Page } from 'playwright-core';
import type { CallResult } from '../../protocol/calls.ts';
import { axeFindings } from '../support/axe.ts';
import { launchChromium } from '../support/chromium.ts';
import { eventually } from '../support/eventually.ts';
import { idle } from '../support/landing.ts';
import { openRelayPage, type RelayPage } from '../support/relayPage.ts';
import { screenshot } from '../support/workbench.ts';
import { openWorkshop, type Workshop } from '../support/workshop.ts';

const DESKTOP = { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' } as const;
const PHONE = { viewport: { width: 360, height: 740 }, colorScheme: 'light', hasTouch: true, isMobile: true } as const;

const bash = (command: string) => [{ tool: 'Bash', input: { command } }, { text: 'Done.' }];
const numbers = (changes: Record<number, string> = {}): string =>
  Array.from({ length: 40 }, (_, index) => `'${changes[index + 1] ?? `line ${index + 1}`}'`).join(' ');
const FIRST = `printf '%s\\n' ${numbers()} > numbers.txt; printf '{"scripts":{}}\\n' > package.json; rm test.sh`;
const SECOND = [
  `printf '%s\\n' ${numbers({ 3: 'line three', 20: 'line twenty', 38: 'a'.repeat(120) })} > numbers.txt`,
  `printf '{"scripts":{"postinstall":"sh x.sh"}}\\n' > package.json`,
  `printf 'new\\nfile' > added.txt`,
  `printf '\\000\\001\\002' > picture.bin`,
  'git rm -q README.md',
].join('; ');

/** The review in a plain browser, with the page and the relay as they are shipped. */
describe('the review in a browser', function () {
  this.timeout(180_000);
  let shop: Workshop;
  let browser: Browser;
  let open: RelayPage[];

  before(async () => {
    [shop, browser] = await Promise.all([openWorkshop(), launchChromium()]);
  });
  after(async () => {
    await browser.close();
    await shop.dispose();
  });
  beforeEach(() => {
    open = [];
  });
  afterEach(async () => {
    for (const { problems, close } of open) {
      await close();
      assert.deepEqual(problems, []);
    }
  });

  /** A session whose first turn was accepted, and whose second changed five files. */
  async function begin(title: string): Promise<string> {
    const sessionId = await shop.begin(bash(FIRST), { title });
    const { proposed } = await shop.until(sessionId, 'the first turn', idle(1));
    const { left } = await shop.client.call('changes.acceptAll', { sessionId, expectedProposed: proposed });
    const confirmed = left.map(({ path }) => path);
    await shop.client.call('changes.acceptAll', { sessionId, expectedProposed: proposed, confirmed });
    await shop.send(sessionId, bash(SECOND));
    await shop.until(sessionId, 'the second turn', idle(2));
    return sessionId;
  }

  const list = (sessionId: string): Promise<CallResult<'review.list'>> =>
    shop.client.call('review.list', { sessionId });

  async function openReview(title: string, options: Parameters<typeof openRelayPage>[2] = DESKTOP): Promise<RelayPage> {
    const opened = await openRelayPage(browser, shop.dataFolder, options);
    open.push(opened);
    const { page } = opened;
    await page.locator('.sessionRow', { hasText: title }).click();
    await page.getByRole('button', { name: 'Open Changes' }).click();
    await page.locator('.diffPanel .review').waitFor();
    return opened;
  }

  const file = (page: Page, path: string): Locator => page.locator(`.review details[data-path="${path}"]`);
  const progress = (page: Page, text: string): Promise<void> =>
    page.locator('.reviewHead [role=status]', { hasText: text }).waitFor();

  it('decides hunk by hunk and file by file, goes on by itself, and takes a decision back', async () => {
    const sessionId = await begin('Decide hunks');
    const { page } = await openReview('Decide hunks');
    await page.getByRole('heading', { name: '5 files to review' }).waitFor();
    const names = page.getByRole('navigation', { name: 'Files to review' });
    assert.deepEqual(await names.locator('.filePath').allInnerTexts(), [
      'README.md\ndeleted',
      'added.txt\nadded',
      'numbers.txt\nmodified',
      'package.json\nmodified',
      'picture.bin\nadded',
    ]);
    const hunks = file(page, 'numbers.txt').locator('.hunk');
    await hunks.nth(2).waitFor();
    assert.equal(
      (await hunks.nth(0).locator('.lineText').allTextContents()).join('|'),
      'line 1|line 2|removed: line 3|added: line three|line 4|line 5|line 6',
    );
    assert.deepEqual(await hunks.nth(1).locator('.added .lineNumber').allTextContents(), ['', '20']);
    await screenshot(page, 'browser-review');
    assert.deepEqual(await axeFindings(page), []);

    await page.getByRole('button', { name: 'Accept change 1 of 3 in numbers.txt' }).click();
    await hunks.nth(2).waitFor({ state: 'detached' });
    // The next change has the focus, and a key decides it.
    await page.locator('.hunk[aria-label^="Change 1 of 2 in numbers.txt"]:focus').waitFor();
    await page.keyboard.press('r');
    await page.locator('.hunk[aria-label^="Change 1 of 1 in numbers.txt"]:focus').waitFor();
    const side = async (name: 'accepted' | 'proposed'): Promise<string[]> =>
      (await shop.client.call('changes.file', { sessionId, side: name, path: 'numbers.txt' })).content.split('\n');
    assert.equal((await side('accepted'))[2], 'line three');
    assert.equal((await side('proposed'))[19], 'line 20');

    await page.getByRole('button', { name: 'Undo', exact: true }).click();
    await page.locator('.hunk[aria-label^="Change 1 of 2 in numbers.txt"]').waitFor();
    assert.equal((await side('proposed'))[19], 'line twenty');

    await page.getByRole('button', { name: 'Reject File numbers.txt' }).click();
    await file(page, 'numbers.txt').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Accept File picture.bin' }).click();
    await file(page, 'picture.bin').waitFor({ state: 'detached' });
    const { files, review } = await list(sessionId);
    assert.deepEqual(
      files.map(({ path }) => path),
      ['README.md', 'added.txt', 'package.json'],
    );
    await progress(page, `${review.reviewed} of ${review.reviewed + 3} reviewed`);
  });

  it('asks about each sensitive file before it accepts all of it', async () => {
    const sessionId = await begin('Sensitive files');
    const { page } = await openReview('Sensitive files');
    await page.locator('.reviewHead').getByRole('button', { name: 'Accept All' }).click();
    const dialog = page.getByRole('dialog', { name: 'Accept package.json?' });
    await dialog.getByText("can run code on a developer's machine").waitFor();
    await screenshot(page, 'browser-review-sensitive');
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await dialog.waitFor({ state: 'detached' });
    assert.equal((await list(sessionId)).files.length, 5, 'nothing was accepted');
    await page.locator('.reviewHead').getByRole('button', { name: 'Accept All' }).click();
    await dialog.getByRole('button', { name: 'Leave Pending' }).click();
    await page.getByRole('heading', { name: '1 file to review' }).waitFor();
    assert.deepEqual(
      (await list(sessionId)).files.map(({ path }) => path),
      ['package.json'],
    );
    await page.getByRole('button', { name: 'Accept File package.json' }).click();
    await dialog.getByRole('button', { name: 'Accept', exact: true }).click();
    await progress(page, 'Nothing is pending.');
    assert.equal((await list(sessionId)).review.pending, 0);
  });

  it('shows what another reviewer decides, and refuses a decision about what is gone', async () => {
    const sessionId = await begin('Two reviewers');
    const { page, hold, letGo } = await openReview('Two reviewers');
    const hunks = file(page, 'numbers.txt').locator('.hunk');
    await hunks.nth(2).waitFor();
    const decide = async (at: number): Promise<void> => {
      const { accepted, proposed, files } = await list(sessionId);
      const id = files.find(({ path }) => path === 'numbers.txt')?.hunks[at]?.id ?? '';
      await shop.client.call('review.decide', {
        sessionId,
        verdict: 'accept',
        files: [{ path: 'numbers.txt', hunks: [id] }],
        expected: { accepted, proposed },
      });
    };
    await decide(2);
    await hunks.nth(2).waitFor({ state: 'detached' });
    const { review } = await list(sessionId);
    await progress(page, `${review.reviewed} of ${review.reviewed + review.pending} reviewed`);
    hold();
    await decide(0);
    await page.getByRole('button', { name: 'Accept change 1 of 2 in numbers.txt' }).click();
    await page.getByRole('alert').waitFor();
    await hunks.nth(1).waitFor({ state: 'detached' });
    await hunks.locator('.added', { hasText: 'line twenty' }).waitFor();
    await page.getByRole('button', { name: 'Reject File README.md' }).click();
    await file(page, 'README.md').waitFor({ state: 'detached' });
    letGo();
  });

  it('is used with a thumb on a phone of 360 pixels', async () => {
    const sessionId = await begin('On a phone');
    const { page } = await openReview('On a phone', PHONE);
    await file(page, 'numbers.txt').locator('.hunk').nth(2).waitFor();
    await screenshot(page, 'browser-review-phone');
    assert.deepEqual(await axeFindings(page), []);
    await file(page, 'numbers.txt').locator('.hunk').nth(2).scrollIntoViewIfNeeded();
    await screenshot(page, 'browser-review-phone-hunk');
    const wide = await page
      .locator('.diffPanel, .diffPanel *:not(.sr)')
      .evaluateAll(all =>
        all.filter(each => each.getBoundingClientRect().right > innerWidth + 1).map(each => each.outerHTML),
      );
    assert.deepEqual(wide, [], 'nothing reaches over the edge');
    const small = await page
      .locator('.review button.primary, .review button.secondary')
      .evaluateAll(all => all.filter(each => each.getBoundingClientRect().height < 40).map(each => each.textContent));
    assert.deepEqual(small, []);
    await page.getByRole('button', { name: 'Accept change 3 of 3 in numbers.txt' }).tap();
    await eventually(async () => {
      const pending = (await list(sessionId)).files.find(({ path }) => path === 'numbers.txt');
      assert.equal(pending?.hunks.length, 2);
    }, 30_000);
    await page.getByRole('button', { name: 'All of the session' }).tap();
    await page.locator('.patch[data-path="numbers.txt"]').waitFor();
    await page.getByRole('button', { name: 'Close the changes' }).tap();
    await page.getByRole('button', { name: 'Open Changes' }).waitFor();
  });

  it('comments on a change, rejects with a reason and submits; the answers stand under the changes', async () => {
    const sessionId = await begin('Say why');
    const { page } = await openReview('Say why');
    const said = page.getByRole('group', { name: 'Comment to the agent' });
    const field = page.getByRole('textbox', { name: 'Comment to the agent' });
    await page.getByRole('button', { name: 'Comment on change 1 of 3 in numbers.txt' }).click();
    await field.fill('Never mind');
    await field.press('Escape');
    await field.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Comment on change 1 of 3 in numbers.txt' }).click();
    await field.fill('Write a 3.');
    await page.getByRole('button', { name: 'Add Comment' }).click();
    await said.getByText('Draft').waitFor();
    await said.getByRole('button', { name: 'Edit' }).click();
    await field.fill('Write 3.');
    await field.press('Control+Enter');
    await said.getByText('Write 3.').waitFor();
    const [draft] = (await shop.client.call('review.comments', { sessionId })).comments;
    assert.deepEqual([draft?.text, draft?.state, draft?.now], ['Write 3.', 'draft', { start: 2, count: 1 }]);
    await page.getByRole('button', { name: 'Reject… change 2 of 3 in numbers.txt' }).click();
    await page.getByRole('textbox', { name: /^Why it is rejected/ }).fill('Twenty stays a number.');
    await screenshot(page, 'browser-review-reason');
    assert.deepEqual(await axeFindings(page), []);
    await page.getByRole('button', { name: 'Reject', exact: true }).click();
    await page.locator('.hunk[aria-label^="Change 2 of 2 in numbers.txt"]').waitFor();
    await page.getByRole('button', { name: 'Submit Review…' }).click();
    await page.getByText('The agent gets 1 comment and everything').waitFor();
    const answers = 'Done.\n\n```review\nC1: addressed - it is 3 now\nR1: declined - it is a word\n```';
    await page
      .getByRole('textbox', { name: /^Anything else to say/ })
      .fill(`Almost. @@${JSON.stringify([{ text: answers }])}`);
    await page.getByRole('button', { name: 'Submit Review', exact: true }).click();
    await progress(page, 'Review submitted: 1 comment, 1 rejection');
    const state = await shop.until(sessionId, 'the answer', idle(3));
    const [submission] = state.feedback?.submissions ?? [];
    assert.deepEqual(
      submission?.items.map(({ label, kind, reason }) => ({ label, kind, reason })),
      [
        { label: 'C1', kind: 'comment', reason: undefined },
        { label: 'R1', kind: 'rejection', reason: 'Twenty stays a number.' },
      ],
    );
    await said.getByText('Addressed').waitFor();
    await said.getByText('it is 3 now').waitFor();
    await screenshot(page, 'browser-review-answer');
  });

  it('lists sessions as the editor does: pins first, groups, tags, a filter, and the risk of what is asked', async () => {
    const asking = await shop.begin([{ tool: 'Bash', input: { command: 'rm -rf build' } }, { text: 'Done.' }], {
      title: 'Clean up',
      permissionMode: 'ask',
    });
    const pinned = await shop.begin([{ text: 'Hello.' }], { title: 'Kept at hand' });
    await shop.until(pinned, 'one turn', idle(1));
    await shop.until(asking, 'a question', ({ approvals }) => approvals.length === 1);
    await shop.client.call('session.pin', { sessionId: pinned, pinned: true });
    await shop.client.call('session.tag', { sessionId: pinned, add: ['docs'], remove: [] });
    for (const [name, options] of [
      ['desktop', DESKTOP],
      ['phone', PHONE],
    ] as const) {
      const opened = await openRelayPage(browser, shop.dataFolder, options);
      open.push(opened);
      const { page } = opened;
      const row = page.locator('.sessionGroup li', { hasText: 'Clean up' });
      await row.getByText('high risk: deletes files').waitFor();
      await page.locator('[data-group=pinned] .sessionRow', { hasText: 'Kept at hand' }).getByText('docs').waitFor();
      const groups = await page
        .locator('.sessionGroup')
        .evaluateAll(all => all.map(each => each.getAttribute('data-group')));
      assert.deepEqual(groups.slice(0, 2), ['pinned', 'needsYou']);
      await screenshot(page, `browser-list-${name}`);
      assert.deepEqual(await axeFindings(page), []);
      const field = page.getByRole('textbox', { name: 'Search all sessions' });
      await field.fill('tag:docs');
      await row.waitFor({ state: 'detached' });
      assert.equal(await page.locator('.sessionRow').count(), 1);
      await field.fill('state:sleeping');
      await page.getByText('There is no state "sleeping"').waitFor();
      await field.fill('state:needs-you');
      await row.locator('.sessionRow').click();
      await page.locator('.approval').getByText('High risk: deletes files').waitFor();
    }
  });

  it('answers, pins and stops from the list; what it cannot show whole is opened first', async () => {
    const begin = (title: string, command: string): Promise<string> =>
      shop.begin([{ tool: 'Bash', input: { command } }, { text: 'Done.' }], { title, permissionMode: 'ask' });
    const allowed = await begin('Make a file', 'touch a');
    const denied = await begin('Remove all', 'rm -rf build');
    const long = await begin('Two lines', 'touch a\ntouch b');
    const busy = await shop.begin([{ text: 'Slowly.', deltas: 7, delayMs: 20_000 }], { title: 'Takes long' });
    for (const sessionId of [allowed, denied, long]) {
      await shop.until(sessionId, 'a question', ({ approvals }) => approvals.length === 1);
    }
    await shop.until(busy, 'an answer that begins', ({ phase }) => phase.kind === 'working');
    const opened = await openRelayPage(browser, shop.dataFolder, DESKTOP);
    open.push(opened);
    const { page } = opened;
    const row = (title: string) => page.locator('.sessionGroup li', { hasText: title });
    const asks = (title: string) => page.getByRole('group', { name: `“${title}” asks` });
    await asks('Make a file').getByText('Bash: touch a').waitFor();
    await row('Make a file').hover();
    await screenshot(page, 'browser-list-asks');
    await asks('Make a file').getByRole('button', { name: 'Allow' }).click();
    await shop.until(allowed, 'the end', idle(1));
    await asks('Remove all').getByRole('button', { name: 'Deny' }).click();
    await shop.until(denied, 'the end', idle(1));
    for (const [sessionId, kind] of [
      [allowed, 'allow'],
      [denied, 'deny'],
    ] as const) {
      const { answered } = await shop.client.call('session.get', { sessionId });
      assert.deepEqual(
        answered.map(({ answer }) => 'decision' in answer && answer.decision.kind),
        [kind],
      );
    }
    await row('Takes long').hover();
    await page.getByRole('button', { name: 'Stop “Takes long”' }).click();
    await shop.until(busy, 'the stop', ({ turns }) => turns[0]?.agent?.outcome === 'stopped');
    await row('Takes long').hover();
    await page.getByRole('button', { name: 'Pin “Takes long”', exact: true }).click();
    await page.locator('[data-group=pinned] .sessionRow', { hasText: 'Takes long' }).waitFor();
    await page.getByRole('button', { name: 'Unpin “Takes long”' }).click();
    await page.locator('[data-group=pinned]').getByText('Takes long').waitFor({ state: 'detached' });
    assert.equal(await asks('Two lines').getByRole('button', { name: 'Allow' }).count(), 0);
    await asks('Two lines').getByRole('button', { name: 'Answer…' }).click();
    await page.locator('.approval').getByText('touch b').waitFor();
    await shop.client.call('session.stop', { sessionId: long });
  });
});
