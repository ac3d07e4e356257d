import type { SandpiperError } from '../../protocol/errors.ts';

/** What a client needs of a WebSocket, so that it runs on any. The client sets the four listeners at once. */
export interface RelaySocket {
  send(frame: string): void;
  /** Closes now; `onClose` follows. */
  close(): void;
  onOpen: () => void;
  onMessage: (frame: string) => void;
  /** Why it did not open or broke; `onClose` follows. */
  onError: (error: SandpiperError) => void;
  /** Called exactly once, also when it never opened. `code` as in RFC 6455. */
  onClose: (code: number, reason: string) => void;
  /**
   * How much has come so far, parts of frames and pings too; it only grows. A large frame on a slow line is then a sign
   * of life before it is whole. Absent where the platform does not tell.
   */
  bytesReceived?(): number;
}
