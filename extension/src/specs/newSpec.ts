import * as vscode from 'vscode';
import { SandpiperError } from '../../../protocol/errors.ts';
import { SPEC_TEMPLATES, specFromAnswers, STACKS, type Stack } from '../../../protocol/specTemplates.ts';
import { writeSpec } from '../../../protocol/specText.ts';
import { readSetting } from '../settings.ts';
import { t, told } from '../../../protocol/text.ts';

/** Where templates of a repository lie. */
const TEMPLATES = '.sandpiper/specs/*.md';
const MAX_TEMPLATES = 100;

/** What is chosen, and how the spec says it, which the agent reads. */
const KINDS = [
  { label: t('A web app'), written: 'A web app' },
  { label: t('A command-line tool'), written: 'A command-line tool' },
  { label: t('A library'), written: 'A library' },
  { label: t('A service'), written: 'A service' },
  { label: t('A change of what is there'), written: 'A change of what is there' },
  { label: t('Slides'), written: 'Slides' },
];

type Choice = vscode.QuickPickItem & { text?: () => Promise<string | undefined> };

/** Asks what a new spec begins with. @returns its text; undefined when the person left */
export async function newSpecText(): Promise<string | undefined> {
  const own = await ownTemplates();
  const choices: Choice[] = [
    { label: `$(question) ${t('Answer a few questions')}`, text: askQuestions },
    { label: `$(file) ${t('From a Markdown file…')}`, text: chooseFile },
    {
      label: `$(comment-discussion) ${t('From a chat')}`,
      description: t('The agent asks, then writes it down'),
      text: beginChat,
    },
    ...(own.length === 0 ? [] : [separator(t('Your templates')), ...own]),
    separator(t('Templates')),
    ...SPEC_TEMPLATES.map(({ name, about, text }): Choice => ({
      label: told(name),
      description: told(about),
      text: async () => {
        const stack = await askStack();
        return stack && text(stack);
      },
    })),
  ];
  const chosen = await vscode.window.showQuickPick(choices, {
    title: t('New Spec'),
    placeHolder: t('What does it begin with?'),
    matchOnDescription: true,
  });
  return chosen?.text?.();
}

function separator(label: string): Choice {
  return { label, kind: vscode.QuickPickItemKind.Separator };
}

async function ownTemplates(): Promise<Choice[]> {
  const folder = readSetting('spec.templateFolder').trim();
  const inRepository = await vscode.workspace.findFiles(TEMPLATES, undefined, MAX_TEMPLATES);
  const inFolder =
    folder === ''
      ? []
      : await vscode.workspace.findFiles(
          new vscode.RelativePattern(vscode.Uri.file(folder), '*.md'),
          undefined,
          MAX_TEMPLATES,
        );
  return [...inRepository, ...inFolder].map(uri => ({
    label: nameOfFile(uri),
    description: vscode.workspace.asRelativePath(uri),
    text: () => readText(uri),
  }));
}

function nameOfFile({ path }: vscode.Uri): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/\.md$/i, '');
}

/** What is unsaved in an editor counts. */
export async function readText(uri: vscode.Uri): Promise<string> {
  return (await vscode.workspace.openTextDocument(uri)).getText();
}

async function chooseFile(): Promise<string | undefined> {
  const [uri] =
    (await vscode.window.showOpenDialog({ filters: { Markdown: ['md', 'markdown'] }, openLabel: t('Make Spec') })) ??
    [];
  return uri && readText(uri);
}

/** Its spec comes later, with *Extract Spec*. */
async function beginChat(): Promise<undefined> {
  await vscode.commands.executeCommand('sandpiper.startSpecChat');
  return undefined;
}

async function askStack(): Promise<Stack | undefined> {
  const stacks = Object.entries(STACKS).map(([id, { name, test }]) => ({ label: told(name), description: test, id }));
  const chosen = await vscode.window.showQuickPick(stacks, {
    title: t('New Spec'),
    placeHolder: t('What is it made with? Its commands are used for the checks.'),
  });
  return chosen && isStack(chosen.id) ? chosen.id : undefined;
}

function isStack(name: string): name is Stack {
  return Object.hasOwn(STACKS, name);
}

/** The wizard: kind, stack, features, look, review. */
async function askQuestions(): Promise<string | undefined> {
  const title = await ask(t('What is it called?'), t('A notes app'));
  if (title === undefined || title.trim() === '') {
    return undefined;
  }
  const chosen = await vscode.window.showQuickPick(KINDS, {
    title: t('New Spec'),
    placeHolder: t('What kind of thing is it?'),
  });
  const kind = chosen?.written;
  const stack = chosen && (await askStack());
  const features = stack && (await ask(t('What can it do? Separate features with ;'), t('Write a note; Find a note')));
  const look =
    features !== undefined && features !== '' ? await ask(t('How does it look and feel? (optional)'), '') : undefined;
  if (kind === undefined || !stack || features === undefined || look === undefined) {
    return undefined;
  }
  const asked = t('Yes, I say whether it is good');
  const review = await vscode.window.showQuickPick([asked, t('No, the checks are enough')], {
    title: t('New Spec'),
    placeHolder: t('Are you asked at the end?'),
  });
  if (review === undefined) {
    return undefined;
  }
  const named = features
    .split(/[;\n]/)
    .map(feature => feature.replace(/\s+/g, ' ').trim())
    .filter(feature => feature !== '');
  if (named.length === 0 || named.length > 40) {
    throw new SandpiperError('invalid_params', t('A spec has 1 to 40 features.'), { hint: t('Separate them with ;') });
  }
  return writeSpec(
    specFromAnswers({
      title: title.trim().slice(0, 200),
      kind,
      stack,
      features: named,
      look,
      review: review === asked,
    }),
  );
}

function ask(prompt: string, placeHolder: string): Thenable<string | undefined> {
  return vscode.window.showInputBox({ title: t('New Spec'), prompt, placeHolder, ignoreFocusOut: true });
}
