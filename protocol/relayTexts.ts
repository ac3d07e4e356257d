import { t } from './text.ts';

/*
 * The relay speaks English: its log and its answers are read by programs too. These are the sentences of its own that an editor
 * or a page shows, so that they can be shown in the reader's language. Where one has arguments they are in the order `{0}`, `{1}`.
 */
export const RELAY_TEXTS: readonly string[] = [
  // What a session does (activity.ts).
  'Reading the repository',
  'Making the sandbox',
  'Cloning into the sandbox',
  'Starting the agent',
  'Preparing',
  'Archived',
  'Waiting for you',
  'The disk of the relay is full',
  'Stuck',
  'Restoring {0}',
  'Updating from {0}',
  'Moving to {0}',
  'Stopping',
  'Saving a checkpoint',
  'Update Sandpiper to see what it does',
  'Handing the message to the agent',
  'Checking {0}',
  'Reading the spec',
  'Interrupted',
  'Idle',
  'Ready to review',
  'Ending the agent',
  'Resuming the conversation',
  'Model is throttling, retry {0} of {1}',
  'Model does not answer, retry {0} of {1}',
  'Running {0}',
  'Waiting for the model',
  'Thinking',
  // Groups of a list (sessionGroup.ts).
  'Pinned',
  'Needs You',
  'Running',
  'Ready to Review',
  'Done',
  // Why an approval is a risk (approvalRisk.ts).
  'low',
  'medium',
  'high',
  'asks for more rights',
  'runs what it downloads',
  'runs text that cannot be read here',
  'deletes files',
  'overwrites data',
  'acts on every file that it finds',
  'changes history or throws work away',
  'changes rights of many files',
  'talks to another machine',
  'publishes a package',
  'acts on other systems',
  'ends processes',
  'touches settings outside the work',
  'uses the network',
  'installs packages',
  'only reads',
  'changes a file in the sandbox',
  'sends what it asks for to the network',
  'runs a command in the sandbox',
  'calls a tool outside the agent',
  'uses a tool in the sandbox',
  // Settings of the agent (settingsText.ts).
  'Ask before each step',
  'Ask',
  'You allow commands and edits one by one',
  'Accept edits',
  'Edits files in its clone; asks before commands',
  'Plan first',
  'Plan',
  'Changes nothing until you approve a plan',
  'Autopilot',
  'Asks nothing; rely on the sandbox',
  'Low effort',
  'Medium effort',
  'High effort',
  'Extra high effort',
  'Maximum effort',
  // Where a session stands (checkpoints.ts).
  'code and conversation',
  'code',
  'conversation',
  'the start of the session',
  'turn {0}',
  // Notices of the transcript (reducers).
  'An earlier turn was restored.',
  'Nothing was restored: {0}',
  'Branched from {0} of "{1}".',
  'Moved from {0} to {1}.',
  'Not moved to {0}: {1}',
  'You stopped it.',
  'The session is where it was.',
  'The session is still on {0}.',
  'What this session reaches is not limited by its rules on {0}: the provider decides.',
  'this machine',
  'The session was archived.',
  'The agent ended.',
  'The turn ended.',
  'The turn failed.',
  'Network access to {0} is allowed.',
  'Network access to {0} is allowed in every session of this repository.',
  'Network access to {0} is not allowed any more.',
  'Network access to {0} was refused: {1}.',
  'nobody has allowed it',
  'it may only be read from',
  'it is an address of a private network',
  'there is no such host',
  'it does not answer',
  'the session has sent as much as it may',
  'Allow it with “Sandpiper: Manage Network Access…” or `sandpiper network`.',
  'Imported from your own conversation with the agent in {0}.',
  'This is a sample: it was recorded from a session of Claude Code with a scripted model. No agent is behind it, and nothing was spent. Review its changes, comment on them, apply them.',
  'Build the spec “{0}” (revision {1}).',
  'Run the checks of the spec “{0}” (revision {1}).',
  'The spec “{0}” was written. It is in the list of specs.',
  'No spec came of it.',
  'Nothing is lost: tell the agent, then extract it again.',
  'Another spec was begun.',
  'The checks begin again.',
  'Code and conversation are restored to {0}. Later turns are set aside; nothing of them is lost.',
  'Code is restored to {0}. Later turns are set aside; nothing of them is lost.',
  'Conversation is restored to {0}. Later turns are set aside; nothing of them is lost.',
  'Code and conversation are as before the restore.',
  'Code is as before the restore.',
  'Conversation is as before the restore.',
  'the end of {0}',
  'The review could not be brought into the agent’s files: {0}',
  'The review was brought into {0} of the agent’s files.',
  'Permission mode: {0}.',
  'Model: {0}.',
  // What makes a file sensitive (server/src/git/sensitive.ts).
  'It can run as a git hook',
  'It can run when a shell enters the folder',
  'It configures git',
  'It decides which programs git runs on files',
  'It is a package.json that cannot be read, so its scripts are unknown',
  'It names other repositories that are fetched',
  'It runs in CI, where the secrets of the repository are',
  'It runs or redirects package installation',
  'It runs or redirects package installation or builds',
  'It runs when the folder is opened in a container',
  'It says what runs as a git hook',
  // What specs begin with (specTemplates.ts).
  'Fix an issue',
  'Something is wrong and must not come back',
  'Add tests',
  'Code works but nothing proves it',
  'Review',
  'Read code and write down what is wrong, changing nothing',
  'Refactor',
  'Make code better without changing what it does',
  'Upgrade dependencies',
  'Bring what the project uses up to date',
  'New web app',
  'Something new that runs in a browser',
  'Command-line tool',
  'Something new for a terminal',
  'Slides',
  'A talk, as a page of its own',
  'Anything else, with a Makefile',
  // Why files cannot be applied (landing/decide.ts).
  'you and the agent changed the same lines',
  'you have another file of this name',
  'you deleted or moved it, the agent changed it',
  'the agent deleted or moved it, you changed it',
  'it is a file on one side and something else on the other',
  'it has unsaved changes in the editor that this cannot be merged with',
  'it is read-only',
  'a folder of its path is a link',
  'it lies in another repository inside your folder',
  'a folder of yours with other files is in its place',
  'another file has the same name but for capital letters',
  'its name cannot be used here',
  'it is a submodule',
];

/** What `told` does: finds what the relay wrote among its own sentences. */
export function tellerOf(known: readonly string[]): (text: string) => string {
  const whole = new Set(known.filter(text => !text.includes('{0}')));
  const patterns = known
    .filter(text => !whole.has(text))
    .map(key => ({ key, pattern: new RegExp(`^${escaped(key).replace(/\\\{\d\\\}/g, '([^]*)')}$`) }));
  const tell = (text: string): string => {
    if (whole.has(text)) {
      return t(text);
    }
    for (const { key, pattern } of patterns) {
      const found = pattern.exec(text);
      if (found) {
        return t(key, ...found.slice(1).map(tell));
      }
    }
    return text;
  };
  return tell;
}

function escaped(text: string): string {
  return text.replace(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`);
}
