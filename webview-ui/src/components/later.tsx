/*
 * What an ordinary session shows, but not at once: one chunk of the bundle, loaded when the first part of it is drawn. One and
 * not ten, because each shared piece of many small chunks becomes a file of its own.
 */

export { ChangesBar } from './changesBar.tsx';
export { ToolBody } from './toolBody.tsx';
