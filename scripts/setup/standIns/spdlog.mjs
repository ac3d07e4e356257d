// @ts-check
/*
 * Stands in for @vscode/spdlog in the VS Code server that tests run: a plain file logger instead of a native module that
 * would have to be compiled.
 */
import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

const names = ['trace', 'debug', 'info', 'warning', 'error', 'critical'];

export class Logger {
  /**
   * @param {string} name
   * @param {string} file
   */
  constructor(name, file) {
    this.name = name;
    this.file = file;
    this.level = 2;
    mkdirSync(dirname(file), { recursive: true });
  }
  /**
   * @param {number} level
   * @param {string} message
   */
  write(level, message) {
    if (level < this.level) {
      return;
    }
    try {
      appendFileSync(this.file, `${new Date().toISOString()} [${names[level]}] ${message}\n`);
    } catch {
      // The log folder may already be gone when the server stops.
    }
  }
  /** @param {string} message */
  trace(message) {
    this.write(0, message);
  }
  /** @param {string} message */
  debug(message) {
    this.write(1, message);
  }
  /** @param {string} message */
  info(message) {
    this.write(2, message);
  }
  /** @param {string} message */
  warn(message) {
    this.write(3, message);
  }
  /** @param {string} message */
  error(message) {
    this.write(4, message);
  }
  /** @param {string} message */
  critical(message) {
    this.write(5, message);
  }
  getLevel() {
    return this.level;
  }
  /** @param {number} level */
  setLevel(level) {
    this.level = level;
  }
  setPattern() {}
  clearFormatters() {}
  flush() {}
  drop() {}
}

/**
 * @param {string} name
 * @param {string} file
 */
export async function createRotatingLogger(name, file) {
  return new Logger(name, file);
}

/**
 * @param {string} name
 * @param {string} file
 */
export async function createAsyncRotatingLogger(name, file) {
  return new Logger(name, file);
}

export const version = 0;
export function setLevel() {}
export function setFlushOn() {}
