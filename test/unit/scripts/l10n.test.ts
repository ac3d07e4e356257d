import assert from 'node:assert/strict';
import { activityLabel } from '../../../protocol/activity.ts';
import { riskOf } from '../../../protocol/approvalRisk.ts';
import { RELAY_TEXTS, tellerOf } from '../../../protocol/relayTexts.ts';
import { GROUP_LABELS } from '../../../protocol/sessionGroup.ts';
import { EFFORT_WORDS, MODE_WORDS } from '../../../protocol/settingsText.ts';
import { SPEC_TEMPLATES } from '../../../protocol/specTemplates.ts';
import { count, t, told, useTexts } from '../../../protocol/text.ts';
import { compareTexts } from '../../../scripts/l10n/compare.ts';
import { keysOf } from '../../../scripts/l10n/keys.ts';
import { literalTexts } from '../../../scripts/l10n/manifestTexts.ts';
import { pseudo } from '../../support/pseudo.ts';

const keys = (source: string): string[] => keysOf('a.ts', source).keys.map(({ key }) => key);

describe('the texts that the sources use', () => {
  it('are found in every form of the call, also inside of templates and other calls', () => {
    assert.deepEqual(keys(`t('One'); l10n.t("It's {0}", name(a, b)); vscode.l10n.t('A\\nB');`), [
      'One',
      "It's {0}",
      'A\nB',
    ]);
    assert.deepEqual(keys("`$(add) ${t('New')} ${f(`${t('Inner')}`)}`"), ['New', 'Inner']);
    assert.deepEqual(keys(`count(list.filter(x => x > f(1, 2)).length, 'file'); count(2, 'entry', 'entries')`), [
      '{0} file',
      '{0} files',
      '{0} entry',
      '{0} entries',
    ]);
    assert.deepEqual(keys(`lazy('The list', () => 1); <Foldable noun="line">`), ['The list', '{0} line', '{0} lines']);
  });

  it('must be written out', () => {
    assert.deepEqual(keys(`event('x'); account('y'); /** t('comment') */`.replace('/**', '\n * ')), []);
    assert.match(keysOf('a.ts', `t(text)`).problems.join(), /a\.ts:1: t\(\) takes its text written out/);
    assert.match(keysOf('a.ts', `count(2, noun)`).problems.join(), /count\(\)/);
  });
});

describe('a language', () => {
  const used = new Set(['Open', 'Open##state', '{0} of {1}', '$(add) New [Go](command:a.b)']);
  const whole = {
    Open: 'Öffnen',
    'Open##state': 'Offen',
    '{0} of {1}': '{1}, davon {0}',
    '$(add) New [Go](command:a.b)': '$(add) Neu [Los](command:a.b)',
  };

  it('is fine when it has every text, with its places in any order', () => {
    assert.deepEqual(compareTexts('de', used, whole), []);
  });

  it('is told of what it lacks, has too much, left empty or lost', () => {
    const { Open: _, ...rest } = whole;
    assert.match(compareTexts('de', used, rest).join(), /has no text for "Open"/);
    assert.match(compareTexts('de', used, { ...whole, Gone: 'Weg' }).join(), /nobody uses: "Gone"/);
    assert.match(compareTexts('de', used, { ...whole, Open: ' ' }).join(), /an empty text in "Open"/);
    assert.match(compareTexts('de', used, { ...whole, '{0} of {1}': '{0}' }).join(), /other places/);
    const other = { ...whole, '$(add) New [Go](command:a.b)': 'Neu [Los](command:a.c)' };
    assert.match(compareTexts('de', used, other).join(), /other icons.*other commands/);
  });
});

describe('the manifest', () => {
  it('names its texts, and what it has itself is found', () => {
    const command = { command: 'a.b', title: '%command.b%', category: 'Sandpiper', icon: '$(add)' };
    const tool = { modelDescription: 'Does it.', inputSchema: { properties: { a: { description: 'At most 3' } } } };
    assert.deepEqual(literalTexts({ commands: [command], languageModelTools: [tool] }), []);
    const mode = { enum: ['ask'], enumDescriptions: ['%mode.ask%', 'Asks'], markdownDescription: 'A %mode%' };
    assert.deepEqual(literalTexts({ commands: [{ ...command, title: 'Do It' }], configuration: { 'a.mode': mode } }), [
      'commands.0.title',
      'configuration.a.mode.enumDescriptions.1',
      'configuration.a.mode.markdownDescription',
    ]);
  });
});

describe('a text', () => {
  afterEach(() => useTexts({}, 'en', text => text));

  it('is English where no language is set, without what is for translators', () => {
    assert.equal(t('Open##state'), 'Open');
    assert.equal(t('{1} before {0}', 'a', 2), '2 before a');
    assert.equal(t('Braces {0} stay'), 'Braces {0} stay');
    assert.equal(count(1, 'file') + count(2, 'entry', 'entries'), '1 file2 entries');
    assert.equal(told('turn 3'), 'turn 3');
  });

  it('is that of the language, and what is put in is never read as a place', () => {
    useTexts({ '{0} and {1}': '{1} und {0}', '{0} files': '{0} Dateien' }, 'de', text => text);
    assert.equal(t('{0} and {1}', '{1}', 'b'), 'b und {1}');
    assert.equal(count(3, 'file'), '3 Dateien');
    assert.equal(t('Unknown'), 'Unknown');
  });
});

describe('what the relay says', () => {
  before(() => {
    useTexts(Object.fromEntries(RELAY_TEXTS.map(key => [key, pseudo(key)])), 'de', tellerOf(RELAY_TEXTS));
  });
  after(() => useTexts({}, 'en', text => text));

  it('is translated with what it says of something, and nothing else is', () => {
    assert.equal(
      told('Restoring turn 3'),
      pseudo('Restoring {0}').replace('{0}', pseudo('turn {0}').replace('{0}', '3')),
    );
    assert.equal(told('Delete the database'), 'Delete the database');
    assert.equal(activityLabel({ kind: 'tool', label: 'Stuck' }), 'Stuck');
  });

  it('is known to the editor and the page, as far as it is words of ours', () => {
    const said = [
      ...Object.values(GROUP_LABELS),
      ...Object.values(EFFORT_WORDS),
      ...Object.values(MODE_WORDS).flatMap(({ label, short, meaning }) => [label, short, meaning]),
      ...SPEC_TEMPLATES.flatMap(({ name, about }) => [name, about]),
      ...['sudo x', 'rm -r x', 'curl x | sh', 'ls', 'npm i', 'kill 1', 'git push', 'ssh x', 'dd x'].map(
        command => riskOf('Bash', { command }).why,
      ),
      ...['Read', 'Edit', 'WebFetch', 'mcp__x', 'Other'].map(name => riskOf(name, {}).why),
    ];
    assert.deepEqual(
      said.filter(text => !told(text).startsWith('[!!')),
      [],
    );
  });
});
