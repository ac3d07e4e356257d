/** Reads a stream of server-sent events until it is closed or ends. */
export class ServerEvents {
  readonly #abort = new AbortController();
  readonly #onData: (data: string, id: string | undefined) => void;

  private constructor(onData: (data: string, id: string | undefined) => void) {
    this.#onData = onData;
  }

  /** Resolves when the stream is open. */
  static async open(
    url: string,
    headers: Record<string, string>,
    onData: (data: string, id: string | undefined) => void,
  ): Promise<ServerEvents> {
    const events = new ServerEvents(onData);
    const response = await fetch(url, {
      headers: { accept: 'text/event-stream', ...headers },
      signal: events.#abort.signal,
    });
    if (!response.ok || !response.body) {
      throw new Error(`${url} answers ${response.status}.`);
    }
    // Its end is not an error: the server was killed, or this was closed.
    events.#read(response.body).catch(() => {});
    return events;
  }

  close(): void {
    this.#abort.abort();
  }

  async #read(body: AsyncIterable<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let rest = '';
    for await (const chunk of body) {
      const frames = (rest + decoder.decode(chunk, { stream: true })).split('\n\n');
      rest = frames.pop() ?? '';
      for (const frame of frames) {
        const lines = frame.split('\n');
        const data = lines.filter(line => line.startsWith('data:')).map(line => line.slice(5).trim());
        const id = lines
          .find(line => line.startsWith('id:'))
          ?.slice(3)
          .trim();
        this.#onData(data.join(''), id);
      }
    }
  }
}
