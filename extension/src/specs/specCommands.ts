import * as vscode from 'vscode';
import { SandpiperError } from '../../../protocol/errors.ts';
import { idPattern } from '../../../protocol/ids.ts';
import { specChat } from '../../../protocol/specs.ts';
import type { PermissionMode } from '../../../protocol/events.ts';
import type { ChatView } from '../chat/chatView.ts';
import type { CommandHandlers } from '../commands/registerCommands.ts';
import type { PickSession } from '../commands/pickSession.ts';
import type { SpecCommandId } from '../manifest.ts';
import type { RelayConnection } from '../relay/relayConnection.ts';
import type { RelayLink } from '../relay/relayLink.ts';
import type { NewSession } from '../sessions/newSession.ts';
import { readSetting } from '../settings.ts';
import { placeOf, specUri, type SpecFiles } from './specFiles.ts';
import type { SpecTree } from './specTree.ts';
import { dateTime, t } from '../../../protocol/text.ts';

export interface SpecParts {
  relay: RelayConnection;
  files: SpecFiles;
  tree: SpecTree;
  newSession: NewSession;
  chat: ChatView;
  pick: PickSession;
}

const SPEC = idPattern('spc');

/** What a person does with specs. Its schemas are loaded with the first use. */
export function createSpecCommands(parts: SpecParts): Pick<CommandHandlers, SpecCommandId> {
  const { relay, files, tree } = parts;
  const create = async (text: string): Promise<void> => {
    const { specId, title } = await relay.call('spec.create', { text });
    tree.refresh();
    await files.open(specId, title);
  };
  return {
    'sandpiper.newSpec': async () => {
      const { newSpecText } = await import('./newSpec.ts');
      const text = await newSpecText();
      if (text !== undefined) {
        await create(text);
      }
    },
    'sandpiper.importSpec': async argument => {
      const { readText } = await import('./newSpec.ts');
      const uri = argument instanceof vscode.Uri ? argument : vscode.window.activeTextEditor?.document.uri;
      if (!uri) {
        throw new SandpiperError('not_found', t('No file is open.'), { hint: t('Open a Markdown file first.') });
      }
      await create(await readText(uri));
    },
    'sandpiper.startSpecChat': () => startSpecChat(parts),
    'sandpiper.extractSpec': argument => extractSpec(parts, argument),
    'sandpiper.openSpec': async argument => {
      const spec = await pickSpec(relay, argument);
      if (spec) {
        await files.open(spec.specId, spec.title);
      }
    },
    'sandpiper.buildSpec': argument => buildSpec(parts, argument),
    'sandpiper.checkSpec': argument => checkSpec(parts, argument),
    'sandpiper.duplicateSpec': async argument => {
      const spec = await pickSpec(relay, argument);
      if (spec) {
        await create((await relay.call('spec.get', { specId: spec.specId })).text);
      }
    },
    'sandpiper.copySpec': async argument => {
      const spec = await pickSpec(relay, argument);
      if (spec) {
        await vscode.env.clipboard.writeText((await relay.call('spec.get', { specId: spec.specId })).text);
        vscode.window.setStatusBarMessage(t('Sandpiper: the spec is in the clipboard.'), 5000);
      }
    },
    'sandpiper.downloadSpec': argument => downloadSpec(relay, argument),
    'sandpiper.showSpecHistory': argument => showHistory(relay, argument),
    'sandpiper.removeSpec': argument => removeSpec(parts, argument),
    'sandpiper.refreshSpecs': () => Promise.resolve(tree.refresh()),
  };
}

interface Named {
  specId: string;
  title: string;
}

/** The spec that is named, or looked at, or chosen; undefined when the person chose none. */
async function pickSpec(relay: RelayLink, argument: unknown): Promise<Named | undefined> {
  const { specs } = await relay.call('spec.list', {});
  const active = vscode.window.activeTextEditor?.document.uri;
  const named = specIdOf(argument) ?? (active && placeOf(active)?.specId);
  const found = specs.find(({ specId }) => specId === named);
  if (found) {
    return found;
  }
  if (specs.length === 0) {
    throw new SandpiperError('not_found', t('There is no spec yet.'), {
      hint: t('Make one with "Sandpiper: New Spec".'),
    });
  }
  const rows = specs.map(spec => ({ label: spec.title, description: t('{0} items', spec.items), spec }));
  return (await vscode.window.showQuickPick(rows, { title: 'Sandpiper', placeHolder: t('Which spec?') }))?.spec;
}

/** An id from what a lens, a menu or a row of the tree passes. */
function specIdOf(argument: unknown): string | undefined {
  if (typeof argument === 'string') {
    return SPEC.test(argument) ? argument : undefined;
  }
  if (argument instanceof vscode.Uri) {
    return placeOf(argument)?.specId;
  }
  const isRow = typeof argument === 'object' && argument !== null && 'spec' in argument;
  const spec = isRow ? argument.spec : undefined;
  return typeof spec === 'object' && spec !== null && 'specId' in spec ? specIdOf(spec.specId) : undefined;
}

/** What is unsaved would not be built. */
async function saveOpen(specId: string): Promise<void> {
  const open = vscode.workspace.textDocuments.filter(({ uri, isDirty }) => isDirty && placeOf(uri)?.specId === specId);
  for (const document of open) {
    if (!(await document.save())) {
      throw new SandpiperError('conflict', t('The spec could not be saved, so it was not built.'), {
        hint: t('Save it, then try again.'),
      });
    }
  }
}

async function buildSpec({ relay, newSession, chat }: SpecParts, argument: unknown): Promise<void> {
  const spec = await pickSpec(relay, argument);
  if (!spec) {
    return;
  }
  await saveOpen(spec.specId);
  const { specId } = spec;
  const budget = { maxTurns: readSetting('spec.maxTurns') };
  const visible = chat.visibleSessionId();
  const choices: (vscode.QuickPickItem & { mode?: PermissionMode; sessionId?: string })[] = [
    {
      label: `$(play) ${t('In a new session, without asking')}`,
      description: t('The agent may do all in its sandbox'),
      mode: 'autopilot',
    },
    {
      label: `$(play) ${t('In a new session, asking as the setting says')}`,
      mode: readSetting('session.permissionMode'),
    },
    ...(visible === undefined
      ? []
      : [{ label: `$(comment-discussion) ${t('In the session that is open')}`, sessionId: visible }]),
  ];
  const chosen = await vscode.window.showQuickPick(choices, {
    title: t('Build {0}', spec.title),
    placeHolder: t('At most {0} turns', budget.maxTurns),
  });
  if (chosen?.sessionId !== undefined) {
    await relay.call('spec.build', { sessionId: chosen.sessionId, specId, budget });
    await chat.reveal(chosen.sessionId);
  } else if (chosen?.mode !== undefined) {
    const started = await newSession.build({ specId, budget }, chosen.mode);
    if (started) {
      await chat.reveal(started.sessionId);
    }
  }
}

async function checkSpec({ relay, chat, pick }: SpecParts, argument: unknown): Promise<void> {
  const spec = await pickSpec(relay, argument);
  if (!spec) {
    return;
  }
  await saveOpen(spec.specId);
  const sessionId = await pick.pick(undefined, {
    placeHolder: t('Run the checks on what which session made?'),
    fits: summary => !summary.archived,
    none: t('There is no session to check.'),
    takeVisible: false,
  });
  if (sessionId !== undefined) {
    await relay.call('spec.check', { sessionId, specId: spec.specId });
    await chat.reveal(sessionId);
  }
}

async function startSpecChat({ newSession, chat }: SpecParts): Promise<void> {
  const wish = await vscode.window.showInputBox({
    title: t('Spec from a Chat'),
    prompt: t('What do you want to build? The agent asks what it needs to know, and changes nothing.'),
    ignoreFocusOut: true,
  });
  const started = wish === undefined || wish.trim() === '' ? undefined : await newSession.talk(specChat(wish));
  if (started) {
    await chat.reveal(started.sessionId);
  }
}

async function extractSpec({ relay, pick, chat }: SpecParts, argument: unknown): Promise<void> {
  const sessionId = await pick.pick(argument, {
    placeHolder: t('Of what which session talked about?'),
    fits: summary => !summary.archived,
    none: t('There is no session to make a spec of.'),
  });
  if (sessionId !== undefined) {
    await relay.call('spec.extract', { sessionId });
    await chat.reveal(sessionId);
  }
}

async function downloadSpec(relay: RelayLink, argument: unknown): Promise<void> {
  const spec = await pickSpec(relay, argument);
  if (!spec) {
    return;
  }
  const { text } = await relay.call('spec.get', { specId: spec.specId });
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const name = specUri({ specId: spec.specId }, spec.title).path.slice(1);
  const target = await vscode.window.showSaveDialog({
    ...(folder ? { defaultUri: vscode.Uri.joinPath(folder, '.sandpiper', 'specs', name) } : {}),
    filters: { Markdown: ['md'] },
    saveLabel: t('Save Spec'),
  });
  if (target) {
    await vscode.workspace.fs.writeFile(target, Buffer.from(text));
  }
}

async function showHistory(relay: RelayLink, argument: unknown): Promise<void> {
  const spec = await pickSpec(relay, argument);
  if (!spec) {
    return;
  }
  const { specId } = spec;
  const { revisions } = await relay.call('spec.revisions', { specId });
  const rows = revisions.toReversed().map(({ revision, at, title }) => ({
    label: t('Revision {0}', revision),
    description: `${dateTime(at)} ${title}`,
    revision,
  }));
  const chosen = await vscode.window.showQuickPick(rows, {
    title: spec.title,
    placeHolder: t('Compare with the newest'),
  });
  if (chosen) {
    const before = specUri({ specId, revision: chosen.revision }, spec.title);
    const title = t('{0} (revision {1} ↔ newest)', spec.title, chosen.revision);
    await vscode.commands.executeCommand('vscode.diff', before, specUri({ specId }, spec.title), title);
  }
}

async function removeSpec({ relay, tree }: SpecParts, argument: unknown): Promise<void> {
  const spec = await pickSpec(relay, argument);
  if (!spec) {
    return;
  }
  await relay.call('spec.remove', { specId: spec.specId });
  tree.refresh();
  const undo = t('Undo');
  const chosen = await vscode.window.showInformationMessage(t('“{0}” was taken out of the list.', spec.title), undo);
  if (chosen === undo) {
    await relay.call('spec.remove', { specId: spec.specId, removed: false });
    tree.refresh();
  }
}
