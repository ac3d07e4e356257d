import { effect, type ReadonlySignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { StreamingMarkdown } from '../text/streamingMarkdown.ts';

export interface MarkdownProps {
  /** Whole text, or text that is still being written. */
  source: string | ReadonlySignal<string>;
}

/** Agent text. Its nodes are made outside of the component tree, so that a delta costs only what it changes. */
export function Markdown({ source }: MarkdownProps): JSX.Element {
  const element = useRef<HTMLDivElement>(null);
  const view = useRef<StreamingMarkdown | null>(null);
  useLayoutEffect(() => {
    if (!element.current) {
      return undefined;
    }
    view.current ??= new StreamingMarkdown(element.current);
    const drawn = view.current;
    if (typeof source === 'string') {
      drawn.set(source, true);
      return undefined;
    }
    return followText(source, text => drawn.set(text, false));
  }, [source]);
  return <div class="markdown" ref={element} />;
}

/** Draws at most once a frame, however many deltas a frame brings. */
function followText(source: ReadonlySignal<string>, draw: (text: string) => void): () => void {
  let frame: number | undefined;
  let drawn = false;
  const stop = effect(() => {
    const text = source.value;
    if (!drawn) {
      drawn = true;
      draw(text);
      return;
    }
    frame ??= requestAnimationFrame(() => {
      frame = undefined;
      draw(source.peek());
    });
  });
  return () => {
    stop();
    if (frame !== undefined) {
      cancelAnimationFrame(frame);
    }
  };
}
