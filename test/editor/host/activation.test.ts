import assert from 'node:assert/strict';
import { commands, extensions, window } from 'vscode';

/** The extension under test, as VS Code knows it. */
function sandpiper() {
  const extension = extensions.getExtension('sandpiper.sandpiper');
  assert.ok(extension, 'VS Code does not know the extension sandpiper.sandpiper');
  return extension;
}

interface Contributed {
  contributes?: {
    commands?: { command: string; title: string; category?: string }[];
    viewsContainers?: Record<string, { id: string }[]>;
    views?: Record<string, { id: string }[]>;
  };
  enabledApiProposals?: string[];
}

function contributions() {
  const manifest: Contributed = sandpiper().packageJSON;
  return manifest.contributes ?? {};
}

describe('the extension in VS Code', () => {
  it('activates without an error', async () => {
    await sandpiper().activate();
    assert.equal(sandpiper().isActive, true);
  });

  it('registers exactly the commands that package.json contributes', async () => {
    await sandpiper().activate();
    const contributed = (contributions().commands ?? []).map(({ command }) => command);
    // A view brings commands of its own (`sandpiper.chat.focus`); they are VS Code's.
    const views = Object.values(contributions().views ?? {}).flatMap(list => list.map(({ id }) => id));
    const registered = (await commands.getCommands(true)).filter(
      id => id.startsWith('sandpiper.') && !views.some(view => id.startsWith(`${view}.`)),
    );
    assert.deepEqual(registered.toSorted(), contributed.toSorted());
  });

  it('has its commands in the palette under "Sandpiper"', () => {
    const others = (contributions().commands ?? []).filter(({ category }) => category !== 'Sandpiper');
    assert.deepEqual(others, []);
  });

  it('brings its views: the sessions in the activity bar, the chat in the secondary side bar', async () => {
    const containers = contributions().viewsContainers ?? {};
    assert.ok(containers['activitybar']?.length, 'no container in the activity bar');
    assert.ok(containers['secondarySidebar']?.length, 'no container in the secondary side bar');
    const known = new Set(await commands.getCommands(true));
    for (const { id } of Object.values(contributions().views ?? {}).flat()) {
      assert.ok(known.has(`${id}.focus`), `VS Code does not know the view ${id}`);
    }
  });
});

describe('the editor that the tests run in', () => {
  it('refuses proposed APIs, as a marketplace installation does', () => {
    const createInset: unknown = Reflect.get(window, 'createWebviewTextEditorInset');
    assert.ok(typeof createInset === 'function', 'the probe for a proposed API is gone from this VS Code');
    assert.throws(() => Reflect.apply(createInset, window, []), /CANNOT use API proposal: editorInsets/);
  });

  it('is not asked for proposed APIs by our manifest', () => {
    const manifest: Contributed = sandpiper().packageJSON;
    assert.equal(manifest.enabledApiProposals, undefined);
  });
});
