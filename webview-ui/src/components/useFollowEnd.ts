import { useSignal, type Signal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks';

export interface FollowEnd {
  scroller: RefObject<HTMLDivElement | null>;
  content: RefObject<HTMLDivElement | null>;
  /** Whether the reader is at the end and stays there as more comes. */
  following: Signal<boolean>;
  jump(): void;
  /** Call before something is put above what is read; what is read then stays where it is. */
  keepPlace(): void;
}

const NEAR_END_PX = 40;

/** A wheel, a key or a finger moves the view for this long: its scrolling is animated. */
const HAND_MS = 1000;
const HAND_EVENTS = ['wheel', 'touchmove', 'keydown', 'pointerdown'] as const;

interface Marks {
  /** Where the view was last, and how large it and its content were then. */
  top: number;
  size: string;
  handAt: number;
  held: boolean;
  fromEnd: number | undefined;
}

/** Follows the end of a growing text only while the reader is there. `key` names what is read: another begins at its end. */
export function useFollowEnd(key: string): FollowEnd {
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const following = useSignal(true);
  const marks = useRef<Marks>({ top: 0, size: '', handAt: -HAND_MS, held: false, fromEnd: undefined });

  useLayoutEffect(() => {
    const view = scroller.current;
    const inner = content.current;
    if (!view || !inner) {
      return undefined;
    }
    following.value = true;
    const fromEnd = (): number => view.scrollHeight - view.scrollTop - view.clientHeight;
    const size = (): string => `${view.scrollHeight} ${view.clientHeight}`;
    const onHand = (): void => {
      marks.current.handAt = performance.now();
    };
    const onScroll = (): void => {
      const mark = marks.current;
      // The view also moves up by itself: when it grows at the end, as when an approval is answered and its card goes.
      const byReader = size() === mark.size || performance.now() - mark.handAt < HAND_MS;
      if (fromEnd() < NEAR_END_PX) {
        following.value = true;
      } else if (byReader && view.scrollTop < mark.top - 1) {
        following.value = false;
      }
      mark.top = view.scrollTop;
    };
    const onResize = (): void => {
      const mark = marks.current;
      if (mark.fromEnd !== undefined) {
        view.scrollTop = view.scrollHeight - mark.fromEnd;
        mark.fromEnd = undefined;
      } else if (mark.held) {
        following.value = fromEnd() < NEAR_END_PX;
      } else if (following.peek()) {
        view.scrollTop = view.scrollHeight;
      }
      mark.held = false;
      mark.top = view.scrollTop;
      mark.size = size();
    };
    // Folding something open must not push it out of sight.
    const onClick = (event: Event): void => {
      if (event.target instanceof Element && event.target.closest('[data-hold]')) {
        marks.current.held = true;
      }
    };
    view.scrollTop = view.scrollHeight;
    view.addEventListener('scroll', onScroll, { passive: true });
    for (const name of HAND_EVENTS) {
      view.addEventListener(name, onHand, { passive: true });
    }
    inner.addEventListener('click', onClick);
    const observer = new ResizeObserver(onResize);
    observer.observe(inner);
    observer.observe(view);
    return () => {
      observer.disconnect();
      view.removeEventListener('scroll', onScroll);
      for (const name of HAND_EVENTS) {
        view.removeEventListener(name, onHand);
      }
      inner.removeEventListener('click', onClick);
    };
  }, [key]);

  return useMemo(
    () => ({
      scroller,
      content,
      following,
      jump: () => {
        following.value = true;
        const view = scroller.current;
        if (view) {
          view.scrollTop = view.scrollHeight;
        }
      },
      keepPlace: () => {
        const view = scroller.current;
        if (view) {
          marks.current.fromEnd = view.scrollHeight - view.scrollTop;
        }
      },
    }),
    [following],
  );
}
