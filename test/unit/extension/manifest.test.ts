import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import {
  CHAT_EDITOR,
  COMMANDS,
  CONTEXT_KEYS,
  SCHEME,
  SETTING_DEFAULTS,
  TREE_SCHEME,
  VIEW_CONTAINERS,
  VIEWS,
} from '../../../extension/src/manifest.ts';
import { resolveKeys } from '../../../scripts/l10n/resolveKeys.ts';

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
    configuration: z.array(
      z.object({
        title: z.string(),
        order: z.int(),
        properties: z.record(
          z.string(),
          z.object({
            type: z.string(),
            default: z.unknown(),
            markdownDescription: z.string().regex(/\.$/),
            order: z.int(),
            minimum: z.number().optional(),
            pattern: z.string().optional(),
            patternErrorMessage: z.string().optional(),
            enum: z.array(z.string()).optional(),
            enumDescriptions: z.array(z.string()).optional(),
          }),
        ),
      }),
    ),
    walkthroughs: z.array(
      z.object({ steps: z.array(z.object({ description: z.string(), media: z.object({ markdown: z.string() }) })) }),
    ),
  }),
});
const read = (name: string): unknown => JSON.parse(readFileSync(join(root, name), 'utf8'));
const resolved = resolveKeys(read('package.json'), z.record(z.string(), z.string()).parse(read('package.nls.json')));
const text = JSON.stringify(resolved, undefined, 2);
const manifest = manifestSchema.parse(resolved);
const { contributes } = manifest;
const settings = contributes.configuration.flatMap(({ properties }) => Object.entries(properties));

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
    const declared = Object.fromEntries(settings.map(([name, { default: value }]) => [name, value]));
    const expected = Object.fromEntries(
      Object.entries(SETTING_DEFAULTS).map(([name, value]) => [`sandpiper.${name}`, value]),
    );
    assert.deepEqual(declared, expected);
    for (const [name, property] of settings) {
      assert.equal(typeof property.default, property.type === 'integer' ? 'number' : property.type, name);
      assert.equal(property.enumDescriptions?.length, property.enum?.length, name);
    }
  });

  it('groups the settings, each group and each setting in an order of its own', () => {
    const orders = contributes.configuration.map(({ order }) => order);
    assert.deepEqual(
      orders,
      [...orders.keys()].map(index => index + 1),
    );
    for (const { title, properties } of contributes.configuration) {
      const inside = Object.values(properties).map(({ order }) => order);
      assert.deepEqual(
        inside,
        [...inside.keys()].map(index => index + 1),
        title,
      );
    }
  });

  it('says what it takes of numbers and of texts with a form, and takes its own defaults', () => {
    for (const [name, { type, default: value, minimum, pattern, patternErrorMessage }] of settings) {
      assert.equal(minimum !== undefined, type === 'number' || type === 'integer', name);
      assert.equal(pattern === undefined, patternErrorMessage === undefined, name);
      assert.match(String(value), new RegExp(pattern ?? '', 'u'), name);
    }
    const fits = (name: string, value: string): boolean =>
      new RegExp(settings.find(([id]) => id === `sandpiper.${name}`)?.[1].pattern ?? '', 'u').test(value);
    assert.deepEqual(
      ['https://relay.example.com', 'http://127.0.0.1:4000/x', 'relay.example.com', 'ftp://x'].map(each =>
        fits('relay.url', each),
      ),
      [true, true, false, false],
    );
    assert.deepEqual(
      ['/data', '~/data', 'C:\\data', '\\\\host\\data', 'data', './data'].map(each => fits('relay.dataFolder', each)),
      [true, true, true, true, false, false],
    );
    assert.deepEqual(
      ['main', 'release/1.2', 'two words', 'a^b'].map(each => fits('pullRequest.baseBranch', each)),
      [true, true, false, false],
    );
  });

  it('restricts what a folder that is not trusted may set', () => {
    const restricted = new Set(manifest.capabilities.untrustedWorkspaces.restrictedConfigurations);
    for (const name of ['relay.url', 'relay.dataFolder', 'agent.claudePath', 'session.permissionMode']) {
      assert.ok(restricted.has(`sandpiper.${name}`), name);
    }
    const known = new Set(settings.map(([name]) => name));
    assert.deepEqual(
      [...restricted].filter(name => !known.has(name)),
      [],
    );
  });

  it('activates for restored documents of its own', () => {
    assert.ok(manifest.activationEvents.includes(`onFileSystem:${SCHEME}`));
    assert.ok(manifest.activationEvents.includes(`onFileSystem:${TREE_SCHEME}`));
    assert.ok(manifest.activationEvents.includes(`onWebviewPanel:${CHAT_EDITOR}`));
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
