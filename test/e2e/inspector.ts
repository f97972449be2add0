/** A debugger for tests: the protocol of the inspector over its websocket. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

interface Paused {
  readonly reason: string;
  readonly callFrames: readonly { readonly functionName: string }[];
}

export interface Debugger extends AsyncDisposable {
  readonly url: string;
  /** What `/json/list` tells. */
  readonly targets: unknown;
  call(method: string, params?: object): Promise<unknown>;
  /** The next time that it pauses. */
  paused(): Promise<Paused>;
}

/** Waits until the process says where its inspector is. */
export async function attachTo(child: ChildProcess): Promise<Debugger> {
  const url = await saidUrl(child);
  const targets: unknown = await (await fetch(`http://${new URL(url).host}/json/list`)).json();
  const socket = new WebSocket(url);
  await once(socket, 'open');
  const answers = new Map<number, (result: unknown) => void>();
  const pauses: Paused[] = [];
  let onPause: () => void = () => undefined;
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as {
      id?: number;
      method?: string;
      params?: Paused;
      result?: unknown;
    };
    if (message.id !== undefined) answers.get(message.id)?.(message.result);
    if (message.method !== 'Debugger.paused') return;
    pauses.push(message.params!);
    onPause();
  });
  let calls = 0;
  return {
    url,
    targets,
    call(method, params = {}) {
      const id = ++calls;
      socket.send(JSON.stringify({ id, method, params }));
      return new Promise((resolve) => answers.set(id, resolve));
    },
    async paused() {
      while (pauses.length === 0) await new Promise<void>((resolve) => (onPause = resolve));
      return pauses.shift()!;
    },
    async [Symbol.asyncDispose]() {
      if (socket.readyState === WebSocket.CLOSED) return;
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    },
  };
}

async function saidUrl(child: ChildProcess): Promise<string> {
  let text = '';
  for (;;) {
    const [chunk] = (await once(child.stderr!, 'data')) as [string];
    text += chunk;
    const url = /waiting for a debugger at (ws:\/\/\S+?):? /.exec(text)?.[1];
    if (url) return url;
  }
}
