import type { JSX } from 'preact';
import { originText, type Origin } from '../../../protocol/origin.ts';
import type { Item } from '../../../protocol/session.ts';
import { linkTarget } from '../text/links.ts';
import { Foldable } from './foldable.tsx';
import { Icon } from './icon.tsx';
import { t } from '../../../protocol/text.ts';

const LINES = 8;

/**
 * A message that nobody wrote here: a submitted review, or what a forge told. It is long, and what it is about stands
 * elsewhere: its beginning is enough.
 */
export function ToldMessage({ item }: { item: Extract<Item, { kind: 'message' }> }): JSX.Element {
  return (
    <>
      {item.origin ? <OriginLine origin={item.origin} /> : null}
      <Foldable items={item.text.trimEnd().split('\n')} preview={LINES} noun="line">
        {lines => <div class="messageText">{lines.join('\n')}</div>}
      </Foldable>
    </>
  );
}

/** Where it came from, with the way there. */
function OriginLine({ origin }: { origin: Origin }): JSX.Element {
  const text = t('From the {0}', originText(origin));
  const target = linkTarget(origin.url);
  return (
    <p class="hint" data-origin>
      <Icon name="external" />{' '}
      {target?.kind === 'web' ? (
        <a href={target.url} data-url={target.url} title={target.url}>
          {text}
        </a>
      ) : (
        text
      )}
    </p>
  );
}
