import type { JSX } from 'preact';
import type { Item } from '../../../protocol/session.ts';
import { Hint } from './hint.tsx';
import { Icon } from './icon.tsx';
import { told } from '../../../protocol/text.ts';

const tones = { info: 'muted', warning: 'attention', error: 'bad' } as const;

/** Something the relay wants known: what happened and what to do. */
export function Notice({ item }: { item: Extract<Item, { kind: 'notice' }> }): JSX.Element {
  return (
    <div class={`notice ${item.level}`}>
      <Icon name={item.level} class={tones[item.level]} />
      <div>
        <p>{told(item.text)}</p>
        {item.hint === undefined ? null : (
          <p class="hint">
            <Hint text={told(item.hint)} />
          </p>
        )}
      </div>
    </div>
  );
}
