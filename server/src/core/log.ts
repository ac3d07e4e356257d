/** What the relay writes about itself: one JSON object a line, on stderr or into a file. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** The parts that log; a closed set, so that a log can be filtered. */
export type LogTag =
  | 'relay'
  | 'http'
  | 'ws'
  | 'store'
  | 'git'
  | 'sandbox'
  | 'journal'
  | 'agent'
  | 'model'
  | 'egress'
  | 'forge'
  | 'hooks'
  | 'tending'
  | 'triggers'
  | 'session'
  | 'upkeep';

export interface Logger {
  log(level: LogLevel, tag: LogTag, message: string, fields?: Record<string, unknown>): void;
}

const ORDER: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };

/** A logger that writes whole lines through `write` and drops what is below `minimum`. */
export function createLogger(minimum: LogLevel, write: (line: string) => void): Logger {
  return {
    log(level, tag, message, fields) {
      if (ORDER[level] >= ORDER[minimum]) {
        write(`${JSON.stringify({ at: new Date().toISOString(), level, tag, message, ...fields })}\n`);
      }
    },
  };
}

export const silentLogger: Logger = { log: () => {} };
