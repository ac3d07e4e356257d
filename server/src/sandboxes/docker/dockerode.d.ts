/** What is used of dockerode, which has no types of its own. Answers are checked where they come in. */
declare module 'dockerode' {
  import type { Duplex, Readable } from 'node:stream';

  interface Cancellable {
    abortSignal?: AbortSignal;
  }
  export interface Exec {
    readonly id: string;
    start(options: { hijack: boolean; stdin: boolean; Detach?: boolean } & Cancellable): Promise<Duplex>;
    inspect(options?: Cancellable): Promise<unknown>;
  }
  interface Container {
    inspect(options?: Cancellable): Promise<unknown>;
    start(options?: Cancellable): Promise<unknown>;
    remove(options: { force: boolean; v: boolean } & Cancellable): Promise<unknown>;
    exec(options: object): Promise<Exec>;
  }
  interface Image {
    inspect(options?: Cancellable): Promise<unknown>;
  }
  export default class Docker {
    constructor(options: {
      socketPath?: string;
      protocol?: 'http' | 'https';
      host?: string;
      port?: number;
      ca?: Buffer;
      cert?: Buffer;
      key?: Buffer;
    });
    version(options?: Cancellable): Promise<unknown>;
    info(options?: Cancellable): Promise<unknown>;
    createContainer(options: object): Promise<unknown>;
    getContainer(id: string): Container;
    getImage(name: string): Image;
    listContainers(options: { all: boolean; filters: Record<string, string[]> } & Cancellable): Promise<unknown>;
    buildImage(context: { context: string; src: string[] }, options: Record<string, unknown>): Promise<Readable>;
  }
}
