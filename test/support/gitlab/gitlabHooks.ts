import type { EmulatedForge } from '../forge/emulatedForge.ts';
import type { EmulatedEvent, EmulatedHooks } from '../forge/emulatedHooks.ts';
import { now, type EmulatedComment } from '../forge/emulatedTalk.ts';

/** What GitLab tells by webhooks of what happened in an emulated project, by lib/gitlab/hook_data (MIT). */
export function gitlabHooks(forge: EmulatedForge, name: string): EmulatedHooks {
  const { owner, talk, pulls, id: projectId } = forge.repository(name);
  const web = `${forge.url}/${owner}/${name}`;
  const userId = (username: string) => username.length;
  const event = (header: string, kind: string, by: string, more: object): EmulatedEvent => ({
    event: header,
    payload: {
      object_kind: kind,
      event_type: kind,
      user: { id: userId(by), name: by, username: by, avatar_url: null, email: '[REDACTED]' },
      project: { id: projectId, name, web_url: web, path_with_namespace: `${owner}/${name}`, default_branch: 'main' },
      ...more,
    },
  });
  const issueOf = (number: number) => {
    const issue = talk.issues.find(one => one.number === number);
    return {
      id: 100 + number,
      iid: number,
      title: issue?.title,
      description: issue?.body,
      author_id: userId(issue?.by ?? ''),
      state: 'opened',
      updated_at: issue?.updatedAt.replace('T', ' ').replace(/\..*$/, ' UTC'),
    };
  };
  const mergeOf = (number: number) => {
    const pull = pulls.find(one => one.number === number);
    return {
      id: 200 + number,
      iid: number,
      title: pull?.title,
      description: pull?.body,
      author_id: userId('sandpiper'),
      state: pull?.merged ? 'merged' : pull?.state === 'closed' ? 'closed' : 'opened',
      updated_at: now(),
    };
  };
  const labelObject = (title: string) => ({ id: title.length, title, color: '#ffffff', type: 'ProjectLabel' });
  const note = ({ id, on, by, body, at, line }: EmulatedComment): EmulatedEvent =>
    event('Note Hook', 'note', by, {
      object_attributes: {
        id,
        note: body,
        noteable_type: on.isPull ? 'MergeRequest' : 'Issue',
        type: line ? 'DiffNote' : null,
        system: false,
        internal: false,
        created_at: at.replace('T', ' ').replace(/\..*$/, ' UTC'),
        url: `${web}/-/${on.isPull ? 'merge_requests' : 'issues'}/${on.number}#note_${id}`,
        action: 'create',
      },
      ...(on.isPull ? { merge_request: mergeOf(on.number) } : { issue: issueOf(on.number) }),
    });
  return {
    labelled: (number, label, by) => {
      const issue = talk.issues.find(one => one.number === number);
      const previous = (issue?.labels ?? []).map(labelObject);
      issue?.labels.push(label);
      const current = (issue?.labels ?? []).map(labelObject);
      return event('Issue Hook', 'issue', by, {
        object_attributes: { ...issueOf(number), action: 'update', url: `${web}/-/issues/${number}` },
        labels: current,
        changes: { labels: { previous, current } },
      });
    },
    commented: note,
    reviewed: async ({ id }) => talk.comments.filter(({ line }) => line?.review === id).map(note),
    closed: async (number, by) => {
      const merge = mergeOf(number);
      const action = merge.state === 'merged' ? 'merge' : 'close';
      const attributes = { ...merge, action, url: `${web}/-/merge_requests/${number}` };
      return event('Merge Request Hook', 'merge_request', by, { object_attributes: attributes });
    },
  };
}
