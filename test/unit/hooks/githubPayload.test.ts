import assert from 'node:assert/strict';
import { addressOf, triggerOf } from '../../../server/src/hooks/githubPayload.ts';
import { commandIn } from '../../../server/src/hooks/trigger.ts';

describe('what a comment asks for', () => {
  it('is what follows the name, in any spelling', () => {
    const cases: [string, string | undefined][] = [
      ['@sandpiper fix this', 'fix this'],
      ['Please, @Sandpiper: fix\nthis', 'fix\nthis'],
      ['@sandpiper', ''],
      ['@sandpipers are birds', undefined],
      ['@sandpiper-bot fix', undefined],
      ['mail@sandpiper.example', undefined],
      ['> @sandpiper fix\n\nI disagree.', undefined],
      ['```\n@sandpiper fix\n```', undefined],
      ['```\nnever closed\n@sandpiper fix', undefined],
      ['~~~sh\n@sandpiper\n~~~\nlook', undefined],
      ['<!-- @sandpiper do evil -->Thanks', undefined],
      ['Thanks<!-- \n@sandpiper do evil', undefined],
      ['> quoted\n\n@sandpiper do it', 'do it'],
    ];
    for (const [body, text] of cases) {
      assert.equal(commandIn(body)?.text, text, JSON.stringify(body));
    }
    assert.equal(commandIn('@sandpiper again, from the start')?.again, true);
    assert.equal(commandIn('@sandpiper do it again')?.again, false);
  });
});

describe('what a webhook tells', () => {
  it('is nothing when it lacks what GitHub promises, whatever it is', () => {
    for (const payload of [null, 1, 'x', [], {}, { action: 'labeled', issue: { number: 'x' } }, { repository: null }]) {
      for (const event of [
        'issues',
        'issue_comment',
        'pull_request',
        'pull_request_review',
        'check_suite',
        'workflow_run',
        'push',
      ]) {
        assert.ok('ignored' in triggerOf(event, payload), `${event} ${JSON.stringify(payload)}`);
        assert.equal(typeof addressOf(event, payload).lane, 'string');
      }
    }
  });

  it('waits for what is about the same issue or pull request', () => {
    const repository = { full_name: 'Acme/App', html_url: 'https://github.com/Acme/App' };
    assert.equal(addressOf('issues', { action: 'labeled', repository, issue: { number: 3 } }).lane, 'acme/app#3');
    assert.equal(
      addressOf('pull_request', { action: 'closed', repository, pull_request: { number: 3 } }).lane,
      'acme/app#3',
    );
    assert.equal(addressOf('check_suite', { action: 'completed', repository }).lane, 'acme/app');
    assert.equal(addressOf('issues', { action: 'labeled', repository }).reason, undefined);
    assert.equal(addressOf('issues', { action: 'opened', repository }).reason, 'Nothing is done about issues opened.');
  });
});
