import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import {
  COMMANDS,
  CONTEXT_KEYS,
  SCHEME,
  SETTING_DEFAULTS,
  TREE_SCHEME,
  VIEW_CONTAINERS,
  VIEWS,
} from '../../../extension/src/manifest.ts';

const root = join(import.meta.dirname, '../../..');
const menuItem = z.object({ command: z.string(), when: z.string().optional() });
const manifestSchema = z.object({
  icon: z.string(),
  activationEvents: z.array(z.string()),
  capabilities: z.object({ untrustedWorkspaces: z.object({ restrictedConfigurations: z.array(z.string()) }) }),
  contributes: z.object({
    commands: z.array(
      z.object({ command: z.string(), title: z.string(), category: z.string(), icon: z.string().optional() }),
    ),
    views: z.record(z.string(), z.array(z.object({ id: z.string(), icon: z.string() }))),
    viewsContainers: z.record(z.string(), z.array(z.object({ id: z.string(), icon: z.string() }))),
    viewsWelcome: z.array(z.object({ view: z.string(), when: z.string(), contents: z.string() })),
    menus: z.record(z.string(), z.array(menuItem)),
    configuration: z.object({
      properties: z.record(
        z.string(),
        z.object({
          type: z.string(),
          default: z.unknown(),
          markdownDescription: z.string(),
          order: z.int(),
          enum: z.array(z.string()).optional(),
          enumDescriptions: z.array(z.string()).optional(),
        }),
      ),
    }),
    walkthroughs: z.array(
      z.object({ steps: z.array(z.object({ description: z.string(), media: z.object({ markdown: z.string() }) })) }),
    ),
  }),
});
const text = readFileSync(join(root, 'package.json'), 'utf8');
const manifest = manifestSchema.parse(JSON.parse(text));
const { contributes } = manifest;

describe('the manifest', () => {
  it('declares exactly the commands that have a handler', () => {
    assert.deepEqual(contributes.commands.map(command => command.command).toSorted(), [...COMMANDS].toSorted());
  });

  it('puts every command under one category, in Title Case, with an id that is a verb and a noun', () => {
    const small = new Set(['to', 'in', 'of', 'and', 'by', 'as']);
    for (const { command, title, category } of contributes.commands) {
      assert.equal(category, 'Sandpiper', command);
      assert.match(command, /^sandpiper\.[a-z]+[A-Z]\w+$/);
      const wrong = title.split(' ').filter(word => !small.has(word) && !/^[A-Z]/.test(word));
      assert.deepEqual(wrong, [], title);
    }
  });

  it('names only commands that exist, in menus, welcome views, walkthroughs and settings', () => {
    const known = new Set<string>(COMMANDS);
    const named = [...text.matchAll(/command:(sandpiper\.\w+)/g)].map(match => match[1] ?? '');
    const inMenus = Object.values(contributes.menus)
      .flat()
      .map(entry => entry.command);
    assert.ok(named.length > 0 && inMenus.length > 0);
    assert.deepEqual(
      [...named, ...inMenus].filter(command => !known.has(command)),
      [],
    );
  });

  it('gives a command in a title bar or a row an icon', () => {
    const withIcon = new Set(contributes.commands.filter(command => command.icon).map(command => command.command));
    const shown = Object.entries(contributes.menus).flatMap(([, entries]) =>
      entries.filter(entry => /"?(inline|navigation)/.test(JSON.stringify(entry))).map(entry => entry.command),
    );
    assert.deepEqual(
      shown.filter(command => !withIcon.has(command)),
      [],
    );
  });

  it('declares exactly the views and containers of the code', () => {
    const containers = Object.values(contributes.viewsContainers).flat();
    const views = Object.values(contributes.views).flat();
    assert.deepEqual(views.map(view => view.id).toSorted(), Object.values(VIEWS).toSorted());
    assert.deepEqual(containers.map(container => container.id).toSorted(), Object.values(VIEW_CONTAINERS).toSorted());
    assert.deepEqual(Object.keys(contributes.views).toSorted(), Object.values(VIEW_CONTAINERS).toSorted());
  });

  it('looks only at context keys that the code sets', () => {
    const whens = [...text.matchAll(/"when": "((?:[^"\\]|\\.)*)"/g)].map(match => match[1] ?? '').join(' ');
    const keys = new Set<string>([...Object.values(CONTEXT_KEYS), ...Object.values(VIEWS)]);
    const named = [...whens.matchAll(/sandpiper\.\w+/g)].map(match => match[0]);
    assert.deepEqual(
      named.filter(key => !keys.has(key)),
      [],
    );
  });

  it('declares exactly the settings of the code, with the same types and defaults', () => {
    const declared = Object.fromEntries(
      Object.entries(contributes.configuration.properties).map(([name, { default: value }]) => [name, value]),
    );
    const expected = Object.fromEntries(
      Object.entries(SETTING_DEFAULTS).map(([name, value]) => [`sandpiper.${name}`, value]),
    );
    assert.deepEqual(declared, expected);
    for (const [name, property] of Object.entries(contributes.configuration.properties)) {
      assert.equal(typeof property.default, property.type, name);
      assert.equal(property.enumDescriptions?.length, property.enum?.length, name);
    }
  });

  it('restricts what a folder that is not trusted may set', () => {
    const restricted = new Set(manifest.capabilities.untrustedWorkspaces.restrictedConfigurations);
    for (const name of ['relay.url', 'relay.dataFolder', 'agent.claudePath', 'session.permissionMode']) {
      assert.ok(restricted.has(`sandpiper.${name}`), name);
    }
    const known = new Set(Object.keys(contributes.configuration.properties));
    assert.deepEqual(
      [...restricted].filter(name => !known.has(name)),
      [],
    );
  });

  it('activates for restored documents of its own', () => {
    assert.ok(manifest.activationEvents.includes(`onFileSystem:${SCHEME}`));
    assert.ok(manifest.activationEvents.includes(`onFileSystem:${TREE_SCHEME}`));
  });

  it('names only media that exist', () => {
    const media = [
      manifest.icon,
      ...Object.values(contributes.views).flatMap(views => views.map(view => view.icon)),
      ...Object.values(contributes.viewsContainers).flatMap(all => all.map(container => container.icon)),
      ...contributes.walkthroughs.flatMap(walkthrough => walkthrough.steps.map(step => step.media.markdown)),
    ];
    assert.deepEqual(
      media.filter(file => !existsSync(join(root, file))),
      [],
    );
  });
});
