import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nodeNameVariable } from './connection-owner.ts';
import { clientNode, Network } from './network.ts';

/** It sends back what it gets, and ends when its caller has. */
let echo: Server;
let accepted: Socket[];
let network: Network;
let address: string;
let sockets: Socket[];

describe.skipIf(process.platform !== 'linux')('a network of proxies', () => {
  beforeEach(async () => {
    accepted = [];
    sockets = [];
    echo = createServer({ allowHalfOpen: true }, (socket) => {
      accepted.push(socket.on('error', () => undefined));
      socket.pipe(socket);
    });
    echo.listen(0, '127.0.0.1');
    await once(echo, 'listening');
    network = new Network();
    address = await network.expose('echo', () => `127.0.0.1:${(echo.address() as AddressInfo).port}`);
  });
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await network[Symbol.asyncDispose]();
    for (const socket of accepted) socket.destroy();
    echo.close();
  });

  function beginToDial(): Socket {
    const [host, port] = address.split(':') as [string, string];
    const socket = connect({ host, port: Number(port), allowHalfOpen: true });
    sockets.push(socket.on('error', () => undefined));
    return socket;
  }
  async function dial(): Promise<Socket> {
    const socket = beginToDial();
    await once(socket, 'connect');
    return socket;
  }
  /** Sends it and resolves with as many bytes of the answer. */
  async function ask(socket: Socket, text: string): Promise<string> {
    socket.write(text);
    return readText(socket, text.length);
  }
  async function readText(socket: Socket, length: number): Promise<string> {
    let got = '';
    while (got.length < length) got += String((await once(socket, 'data'))[0]);
    return got;
  }
  /** Of a socket that somebody reads: how it ended. */
  const ended = (socket: Socket) =>
    new Promise<string>((resolve) =>
      socket.once('close', (isError) => resolve(isError ? 'reset' : 'closed')),
    );

  test('bytes and ends go through both ways, and are counted', async () => {
    const socket = await dial();
    expect(await ask(socket, 'wheel')).toBe('wheel');
    socket.end();
    await once(socket, 'end');
    expect(network.passed()).toEqual(
      new Map([
        [`${clientNode} echo`, 5],
        [`echo ${clientNode}`, 5],
      ]),
    );
  });

  test('a cut link resets its connections and new ones, until it is healed', async () => {
    const socket = await dial();
    await ask(socket, 'wheel');
    const closed = ended(socket);
    network.between([clientNode], ['echo'], { kind: 'cut' });
    expect(await closed).toBe('reset');
    expect(await ended(beginToDial().resume())).toBe('reset');
    network.heal();
    expect(await ask(await dial(), 'race')).toBe('race');
  });

  test('a held direction keeps its bytes for later, the other one goes on', async () => {
    const socket = await dial();
    await ask(socket, 'wheel');
    network.oneWay('echo', clientNode, { kind: 'hold' });
    let early = '';
    socket.on('data', (data) => (early += data));
    socket.write('race');
    await expect.poll(() => accepted[0]!.bytesRead).toBe('wheelrace'.length);
    expect(early).toBe('');
    network.heal();
    await expect.poll(() => early).toBe('race');
  });

  test('a connection begun while a link is held hangs, and is made when the link is healed', async () => {
    network.between([clientNode], ['echo'], { kind: 'hold' });
    const socket = await dial();
    socket.write('wheel');
    // A later one, over a link that is well, has been through: the first had its chance.
    await askAsChild('other');
    expect(accepted).toHaveLength(1);
    network.heal();
    expect(await readText(socket, 5)).toBe('wheel');
  });

  test('a link is cut after so many bytes', async () => {
    const socket = await dial();
    network.oneWay(clientNode, 'echo', { kind: 'cut-after', bytes: 3 });
    socket.write('wheel');
    expect(await ended(socket.resume())).toBe('reset');
    expect(network.passed().get(`${clientNode} echo`)).toBe(3);
    expect(await ended(beginToDial().resume())).toBe('reset');
  });

  test('a slow link and a delayed one take their time', async () => {
    const socket = await dial();
    const seconds = async (text: string) => {
      const startedMs = performance.now();
      expect(await ask(socket, text)).toBe(text);
      return (performance.now() - startedMs) / 1000;
    };
    network.oneWay(clientNode, 'echo', { kind: 'slow', bytesPerSecond: 20_000 });
    expect(await seconds('x'.repeat(6_000))).toBeGreaterThanOrEqual(0.29);
    network.oneWay(clientNode, 'echo', { kind: 'delay', ms: 300 });
    expect(await seconds('wheel')).toBeGreaterThanOrEqual(0.29);
    network.heal();
    expect(await seconds('wheel')).toBeLessThan(0.29);
  });

  /** A process named `node` dials and says so; resolves with what came back. */
  async function askAsChild(node: string): Promise<string> {
    const script = `const [host, port] = process.argv[1].split(':');
      const socket = require('node:net').connect(Number(port), host, () => socket.end('${node}'));
      socket.on('error', () => process.exit(3)).pipe(process.stdout);`;
    const child = spawn(process.execPath, ['-e', script, address], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { [nodeNameVariable]: node },
    });
    let said = '';
    child.stdout.on('data', (data) => (said += data));
    const [code] = await once(child, 'close');
    return code === 0 ? said : `exit ${code}`;
  }

  test('processes are told apart by their names: the link of one is cut, that of the other is not', async () => {
    network.between(['wheel'], ['echo'], { kind: 'cut' });
    expect(await Promise.all([askAsChild('wheel'), askAsChild('stone')])).toEqual(['exit 3', 'stone']);
    expect([...network.passed().keys()].sort()).toEqual(['echo stone', 'stone echo']);
    expect(network.strangers).toBe(0);
  });
});
