import type { EmulatedForge } from '../forge/emulatedForge.ts';
import { now, type EmulatedComment, type EmulatedReview } from '../forge/emulatedTalk.ts';
import type { EmulatedEvent, EmulatedHooks } from '../forge/emulatedHooks.ts';
import { pullObject, repositoryObject } from './giteaOperations.ts';
import { commentObject } from './giteaTalkOperations.ts';

/** What Gitea tells by webhooks of what happened in an emulated repository, by modules/structs/hook.go (MIT). */
export function giteaHooks(forge: EmulatedForge, name: string): EmulatedHooks {
  const origin = forge.url;
  const call = { origin, repository: forge.repository(name) };
  const { owner, talk, pulls } = call.repository;
  const web = `${origin}/${owner}/${name}`;
  const user = (login: string) => ({ id: login.length, login, full_name: '', username: login });
  const event = (kind: string, action: string, by: string, more: object): EmulatedEvent => ({
    event: kind,
    payload: { action, ...more, repository: repositoryObject(call), sender: user(by), commit_id: '' },
  });
  const issueOf = (number: number) => {
    const issue = talk.issues.find(one => one.number === number);
    const pull = pulls.find(one => one.number === number);
    return {
      id: number,
      number,
      html_url: `${web}/${pull ? 'pulls' : 'issues'}/${number}`,
      user: user(issue?.by ?? 'sandpiper'),
      title: issue?.title ?? pull?.title,
      body: issue?.body ?? pull?.body,
      labels: (issue?.labels ?? []).map(label => ({ id: 1, name: label, color: 'ffffff' })),
      state: issue?.state ?? pull?.state,
      updated_at: issue?.updatedAt ?? now(),
      pull_request: pull ? { merged: pull.merged, merged_at: null } : null,
    };
  };
  const pullOf = async (number: number) => {
    const pull = pulls.find(one => one.number === number);
    if (!pull) {
      throw new Error(`There is no pull request ${number}.`);
    }
    return pullObject(call, pull);
  };
  return {
    labelled: (number, label, by) => {
      const issue = talk.issues.find(one => one.number === number);
      issue?.labels.push(label);
      return event('issues', 'label_updated', by, { number, issue: issueOf(number) });
    },
    commented: ({ on, by, ...comment }: EmulatedComment) =>
      event('issue_comment', 'created', by, {
        issue: issueOf(on.number),
        comment: commentObject(call, { on, by, ...comment }),
        is_pull: on.isPull,
      }),
    reviewed: async ({ pull, by, body, state }: EmulatedReview) => {
      const kind = { APPROVED: 'approved', REQUEST_CHANGES: 'rejected', COMMENT: 'comment' }[state];
      const review = { type: `pull_request_review_${kind}`, content: body };
      return [
        event(`pull_request_${kind}`, 'reviewed', by, { number: pull, pull_request: await pullOf(pull), review }),
      ];
    },
    closed: async (number, by) =>
      event('pull_request', 'closed', by, { number, pull_request: await pullOf(number), review: null }),
  };
}
