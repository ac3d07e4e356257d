import assert from 'node:assert/strict';
import { GITEA_DIALECT } from '../../../server/src/hooks/giteaDialect.ts';
import { GITLAB_DIALECT, gitlabSigningToken } from '../../../server/src/hooks/gitlabDialect.ts';

const EVENTS = {
  gitea: ['issues', 'issue_comment', 'pull_request', 'pull_request_comment', 'pull_request_approved', 'push'],
  gitlab: ['issue', 'note', 'merge_request', 'push'],
};
const ISSUE = {
  number: 3,
  title: 'T',
  body: null,
  html_url: 'https://codeberg.org/acme/app/issues/3',
  state: 'open',
  updated_at: '2026-01-01T00:00:00Z',
  user: { login: 'bob' },
  labels: [{ name: 'bug' }, { name: 'sandpiper' }],
  pull_request: null,
};
const REPOSITORY = { full_name: 'Acme/App', html_url: 'https://codeberg.org/acme/app' };

describe('what webhooks of other forges tell', () => {
  it('is nothing when they lack what is promised, whatever it is', () => {
    for (const payload of [null, 1, 'x', [], {}, { action: 'opened', issue: { number: 'x' } }, { project: null }]) {
      for (const event of EVENTS.gitea) {
        assert.ok('ignored' in GITEA_DIALECT.triggerOf(event, payload), `${event} ${JSON.stringify(payload)}`);
        assert.equal(typeof GITEA_DIALECT.addressOf(event, payload).lane, 'string');
      }
      for (const event of EVENTS.gitlab) {
        assert.ok('ignored' in GITLAB_DIALECT.triggerOf(event, payload), `${event} ${JSON.stringify(payload)}`);
        assert.equal(typeof GITLAB_DIALECT.addressOf(event, payload).lane, 'string');
      }
    }
  });

  it('names the labels that are new, or says that it does not know', () => {
    const labelsOf = (action: string, changes?: object) => {
      const payload = { action, repository: REPOSITORY, sender: { login: 'alice' }, issue: ISSUE, changes };
      const trigger = GITEA_DIALECT.triggerOf('issues', payload);
      assert.ok(!('ignored' in trigger) && trigger.kind === 'issues', JSON.stringify(trigger));
      return trigger.labels;
    };
    assert.deepEqual(labelsOf('opened'), { names: ['bug', 'sandpiper'] });
    assert.deepEqual(labelsOf('label_updated'), { names: ['bug', 'sandpiper'], unsure: true });
    assert.deepEqual(labelsOf('label_updated', { added_labels: [{ name: 'bug' }] }), { names: ['bug'] });
    assert.deepEqual(labelsOf('label_updated', { removed_labels: [{ name: 'x' }] }), { names: [] });
  });

  it('keeps an issue and a merge request of the same number apart at GitLab', () => {
    const project = { path_with_namespace: 'Group/Sub/App' };
    const lane = (event: string, more: object) => GITLAB_DIALECT.addressOf(event, { project, ...more }).lane;
    assert.equal(lane('issue', { object_attributes: { iid: 3, action: 'update' } }), 'group/sub/app#3');
    assert.equal(lane('merge_request', { object_attributes: { iid: 3, action: 'merge' } }), 'group/sub/app!3');
    assert.equal(lane('note', { object_attributes: { id: 1 }, issue: { iid: 3 } }), 'group/sub/app#3');
    assert.equal(lane('note', { object_attributes: { id: 1 }, merge_request: { iid: 3 } }), 'group/sub/app!3');
  });

  it('leaves what GitLab wrote and what is internal alone', () => {
    const told = (more: object) =>
      GITLAB_DIALECT.triggerOf('note', {
        project: { web_url: 'https://gitlab.com/acme/app' },
        user: { id: 1, username: 'alice' },
        issue: { iid: 3, title: 'T', description: 'D', author_id: 1 },
        object_attributes: {
          id: 1,
          note: '@sandpiper do it',
          noteable_type: 'Issue',
          url: 'https://gitlab.com',
          ...more,
        },
      });
    assert.equal('kind' in told({}) ? 'taken' : 'ignored', 'taken');
    assert.ok('ignored' in told({ system: true }));
    assert.ok('ignored' in told({ internal: true }));
    assert.ok('ignored' in told({ noteable_type: 'Commit' }));
  });

  it('is called by the same names, whatever headers say them', () => {
    const gitlab = (headers: Record<string, string>) => GITLAB_DIALECT.delivery(headers);
    assert.deepEqual(gitlab({ 'x-gitlab-event': 'Confidential Note Hook', 'x-gitlab-event-uuid': 'e' }), {
      id: 'e',
      event: 'note',
    });
    assert.deepEqual(
      gitlab({ 'x-gitlab-event': 'Merge Request Hook', 'x-gitlab-event-uuid': 'e', 'idempotency-key': 'i' }),
      { id: 'i', event: 'merge_request' },
    );
    assert.equal(gitlab({ 'x-gitlab-event': 'System Hook' }).event, 'system');
    const forgejo = { 'x-forgejo-delivery': 'd', 'x-forgejo-event': 'issues', 'x-gitea-event': 'other' };
    assert.deepEqual(GITEA_DIALECT.delivery(forgejo), { id: 'd', event: 'issues' });
  });

  it('has a signing token only where the secret is 32 bytes', () => {
    const bytes = Buffer.alloc(32, 0xfb);
    const token = `whsec_${bytes.toString('base64')}`;
    assert.equal(gitlabSigningToken(bytes.toString('base64url')), token);
    assert.equal(gitlabSigningToken(token), token);
    assert.equal(gitlabSigningToken('a-secret-of-somebody'), undefined);
  });
});
