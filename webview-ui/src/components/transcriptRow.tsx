import { Component, type JSX } from 'preact';
import { TranscriptItem, type DrawnRow, type RowContent, type TranscriptItemProps } from './transcriptItem.tsx';

/** A row that is drawn again only when something in it is another object: events do not touch what stands above. */
export class TranscriptRow extends Component<TranscriptItemProps> {
  override shouldComponentUpdate(next: TranscriptItemProps): boolean {
    const { content, steps, answered, may, aside } = this.props;
    return (
      !same(next.content, content) ||
      next.answered !== answered ||
      next.may !== may ||
      next.aside !== aside ||
      !sameAll(next.steps, steps)
    );
  }

  override render(props: TranscriptItemProps): JSX.Element {
    return <TranscriptItem {...props} />;
  }
}

function same(one: RowContent, other: RowContent): boolean {
  return one === other || (one.kind === 'live' && other.kind === 'live' && one.live === other.live);
}

function sameAll(one: readonly DrawnRow[], other: readonly DrawnRow[]): boolean {
  return (
    one.length === other.length &&
    one.every((row, index) => {
      const before = other[index] ?? row;
      return same(row.content, before.content) && sameAll(row.steps, before.steps);
    })
  );
}
