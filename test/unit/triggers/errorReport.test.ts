import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { glitchtipReport, sentryReport } from '../../../server/src/triggers/errorReport.ts';

const frame = (filename: string, lineno: number, inApp: boolean) => ({
  filename,
  lineno,
  function: `f${lineno}`,
  in_app: inApp,
  context_line: `  call(${lineno});`,
});

const EVENT = {
  event_id: 'e1',
  issue_id: '1117540176',
  title: 'TypeError: x is undefined',
  culprit: 'cart in total',
  release: 'shop@1.2.3',
  environment: 'production',
  web_url: 'https://sentry.io/organizations/acme/issues/1117540176/events/e1/',
  request: { url: 'https://shop.example/cart' },
  exception: {
    values: [
      { type: 'RangeError', value: 'cause', stacktrace: { frames: [frame('a.ts', 1, true)] } },
      {
        type: 'TypeError',
        value: 'x is undefined',
        stacktrace: {
          frames: [
            frame('src/main.ts', 3, true),
            frame('node_modules/lib.js', 4, false),
            frame('src/cart.ts', 5, true),
          ],
        },
      },
    ],
  },
  breadcrumbs: { values: [{ timestamp: 1.5, category: 'http', message: 'GET /cart', data: { status: 500 } }] },
};

describe('the report of an error', () => {
  it('says what Sentry says of an event, own code and the newest call first', () => {
    const report = sentryReport('event_alert', { action: 'triggered', data: { event: EVENT } });
    assert.equal(report?.issue, '1117540176');
    assert.equal(report.title, 'TypeError: x is undefined');
    assert.equal(
      report.text,
      `title: TypeError: x is undefined
in: cart in total
release: shop@1.2.3
environment: production
request: https://shop.example/cart
page: https://sentry.io/organizations/acme/issues/1117540176/events/e1/

exception TypeError: x is undefined
stack, own code first, and in it the newest call first:
  src/cart.ts:5 in f5
    call(5);
  src/main.ts:3 in f3
    call(3);
  node_modules/lib.js:4 in f4 (library)
    call(4);

caused by RangeError: cause
stack, own code first, and in it the newest call first:
  a.ts:1 in f1
    call(1);

before that:
  1.5 http GET /cart {"status":500}`,
    );
    assert.deepEqual(sentryReport('error', { action: 'created', data: { error: EVENT } }), report);
    const { issue_id: _id, ...other } = { ...EVENT, issue_url: 'https://sentry.io/api/0/issues/99/' };
    assert.equal(sentryReport('error', { action: 'created', data: { error: other } })?.issue, '99');
  });

  it('says what is known of an issue, and nothing of what asks for nothing', () => {
    const issue = {
      id: '1170820242',
      title: 'ReferenceError: blooopy is not defined',
      culprit: '?(runner)',
      metadata: { type: 'ReferenceError', value: 'blooopy is not defined', filename: '/runner' },
      web_url: 'https://sentry.io/organizations/acme/issues/1170820242/',
    };
    for (const action of ['created', 'unresolved']) {
      const report = sentryReport('issue', { action, data: { issue } });
      assert.equal(report?.issue, '1170820242');
      assert.match(report.text, /exception: ReferenceError\nmessage: blooopy is not defined\nfile: \/runner\n/);
    }
    assert.equal(sentryReport('issue', { action: 'resolved', data: { issue } }), undefined);
    assert.equal(sentryReport('installation', { action: 'created' }), undefined);
    assert.equal(sentryReport('comment', { action: 'created' }), undefined);
  });

  it('says what GlitchTip says', () => {
    const report = glitchtipReport({
      alias: 'GlitchTip',
      text: 'GlitchTip Alert',
      attachments: [
        {
          title: 'TypeError: x is undefined',
          title_link: 'https://glitchtip.example/acme/issues/7',
          text: 'cart in total',
          fields: [{ title: 'Release', value: 'shop@1.2.3', short: true }],
        },
      ],
      sections: [],
    });
    assert.deepEqual(report, {
      issue: 'https://glitchtip.example/acme/issues/7',
      title: 'TypeError: x is undefined',
      text: 'error: TypeError: x is undefined\nin: cart in total\nRelease: shop@1.2.3\npage: https://glitchtip.example/acme/issues/7',
    });
    assert.equal(glitchtipReport({ attachments: [] }), undefined);
  });

  it('bears whatever stands in its fields, and is cut', () => {
    const values: unknown[] = [null, 7, 'x', [], {}, [null], [[]], { values: 7 }, { values: [null, 7, {}] }, true];
    for (const value of values) {
      for (const name of ['exception', 'breadcrumbs', 'title', 'request', 'issue_id', 'release']) {
        const report = sentryReport('event_alert', {
          action: 'triggered',
          data: { event: { ...EVENT, [name]: value } },
        });
        assert.ok(report && report.title !== '');
      }
      assert.ok(sentryReport('event_alert', { action: 'triggered', data: value }));
      assert.ok(sentryReport('issue', { action: 'created', data: { issue: value } }));
      glitchtipReport({ attachments: value });
      glitchtipReport({ attachments: [{ fields: value, title: value }] });
    }
    const many = Array.from({ length: 5000 }, (_, index) =>
      frame(`${'deep/'.repeat(50)}${index}.ts`, index, index % 2 === 0),
    );
    const event = {
      ...EVENT,
      exception: { values: [{ type: 'E', value: 'v'.repeat(100_000), stacktrace: { frames: many } }] },
    };
    const report = sentryReport('event_alert', { action: 'triggered', data: { event } });
    assert.ok(report && report.text.length < 21_000, String(report?.text.length));
    assert.match(report.text, /4998\.ts:4998/);
    assert.doesNotMatch(report.text, /4999\.ts/);
  });
});
