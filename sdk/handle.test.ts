import { Server, ServerCredentials, type ServerWritableStream, status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { MillraceError } from '../lib/errors.ts';
import { grpcStatus } from '../lib/grpc-status.ts';
import type { SubmittedSpec } from '../lib/job-spec.ts';
import type { JobView } from '../lib/job-view.ts';
import type { ClientHandlers } from '../proto/gen/millrace/v1/Client.ts';
import type { JobReply } from '../proto/gen/millrace/v1/JobReply.ts';
import { loadClientService } from '../proto/load.ts';
import { makeView } from '../test/job-view-fixture.ts';
import { type Client, connect } from './client.ts';

const open: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

const unused = () => {
  throw new Error('not expected to be called');
};

/** A coordinator that answers as the test says; its address. */
async function serve(handlers: Partial<ClientHandlers>): Promise<string> {
  const server = new Server();
  const none = { Submit: unused, Get: unused, List: unused, Cancel: unused, Watch: unused, Logs: unused };
  server.addService(loadClientService().service, { ...none, ...handlers });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  open.push(async () => server.forceShutdown());
  return `127.0.0.1:${port}`;
}

function connectAt(coordinator: string): Client {
  const client = connect({ coordinator });
  open.push(() => client.close());
  return client;
}

async function connectTo(handlers: Partial<ClientHandlers>): Promise<Client> {
  return connectAt(await serve(handlers));
}

type WatchCall = ServerWritableStream<unknown, JobReply>;

/** Watch calls are answered one after the other by these. */
function watchWith(...answers: ((call: WatchCall) => void)[]): Partial<ClientHandlers> {
  let calls = 0;
  return { Watch: (call: WatchCall) => answers[Math.min(calls++, answers.length - 1)]?.(call) };
}

const send = (call: WatchCall, view: Partial<JobView>) =>
  call.write({ viewJson: JSON.stringify(makeView(view)) });
const breakWith = (call: WatchCall, code: number) =>
  call.emit('error', Object.assign(new Error('broken'), { code, details: 'broken' }));

async function statesOf(views: AsyncIterable<JobView>): Promise<string[]> {
  const states: string[] = [];
  for await (const view of views) states.push(view.state);
  return states;
}

describe('watch', () => {
  it('goes on when the stream ends or breaks before the job has ended', async () => {
    const client = await connectTo(
      watchWith(
        (call) => {
          send(call, { state: 'MAPPING' });
          call.end();
        },
        (call) => {
          send(call, { state: 'REDUCING' });
          breakWith(call, status.UNAVAILABLE);
        },
        (call) => {
          send(call, { state: 'COMMITTING' });
          // What a coordinator that ends does to open calls.
          breakWith(call, status.CANCELLED);
        },
        (call) => {
          send(call, { state: 'COMPLETED' });
          call.end();
        },
      ),
    );
    const states = ['MAPPING', 'REDUCING', 'COMMITTING', 'COMPLETED'];
    expect(await statesOf(client.get('job-1').watch())).toEqual(states);
  });

  it('ends at the terminal view even when the stream stays open', async () => {
    const client = await connectTo(watchWith((call) => send(call, { state: 'CANCELLED' })));
    expect(await statesOf(client.get('job-1').watch())).toEqual(['CANCELLED']);
  });

  it('does not try again after an error that no later try can change', async () => {
    const client = await connectTo(
      watchWith((call) => {
        send(call, { state: 'MAPPING' });
        breakWith(call, status.INTERNAL);
      }),
    );
    await expect(statesOf(client.get('job-1').watch())).rejects.toMatchObject({ code: 'internal' });
  });

  it('ends with cancelled when the signal aborts', async () => {
    const client = await connectTo(watchWith((call) => send(call, { state: 'MAPPING' })));
    const controller = new AbortController();
    const watching = async () => {
      for await (const _view of client.get('job-1').watch({ signal: controller.signal })) controller.abort();
    };
    await expect(watching()).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('says at once that nobody answers at the address', async () => {
    const client = connect({ coordinator: '127.0.0.1:1' });
    open.push(() => client.close());
    await expect(client.get('job-1').wait()).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('several coordinators', () => {
  const standsBy = Object.assign(
    new Error('standby'),
    grpcStatus(new MillraceError('unavailable', 'standby; the coordinator that leads is at 10.0.0.1:7450')),
  );
  const standby: Partial<ClientHandlers> = {
    Get: (_call, reply) => reply(standsBy),
    List: (_call, reply) => reply(standsBy),
    Watch: (call) => call.emit('error', standsBy),
    Submit: unused,
  };
  const view = { viewJson: JSON.stringify(makeView({ state: 'MAPPING' })) };

  it('are asked in turn until one answers, and that one is asked first from then on', async () => {
    const leader = await serve({ Get: (_call, reply) => reply(null, view) });
    const client = connectAt(`${await serve(standby)},127.0.0.1:1,${leader}`);
    expect((await client.get('job-1').status()).state).toBe('MAPPING');
    expect(client.address).toBe(leader);
  });

  it('none of which leads are all named with their reasons', async () => {
    const one = await serve(standby);
    const client = connectAt(`${one},127.0.0.1:1`);
    const failure = await client
      .get('job-1')
      .status()
      .catch((error) => error);
    expect(failure).toMatchObject({ code: 'unavailable' });
    expect(failure.message).toContain(`${one}, 127.0.0.1:1`);
    expect(failure.message).toMatch(/leads is at 10\.0\.0\.1:7450.*127\.0\.0\.1:1 cannot be reached/);
  });

  it('are watched across a change of lead', async () => {
    const first = await serve(
      watchWith(
        (call) => {
          send(call, { state: 'MAPPING' });
          breakWith(call, status.UNAVAILABLE);
        },
        (call) => call.emit('error', standsBy),
      ),
    );
    const second = await serve(
      watchWith(
        (call) => call.emit('error', standsBy),
        (call) => {
          send(call, { state: 'COMPLETED' });
          call.end();
        },
      ),
    );
    const handle = connectAt(`${first},${second}`).get('job-1');
    expect(await statesOf(handle.watch())).toEqual(['MAPPING', 'COMPLETED']);
  });

  it('are waited for while none leads, as long as one of them is there', async () => {
    let asked = 0;
    const one = await serve({
      Watch: (call) => {
        if (asked++ < 2) call.emit('error', standsBy);
        else send(call, { state: 'COMPLETED' });
      },
    });
    const handle = connectAt(`${one},127.0.0.1:1`).get('job-1');
    expect(await statesOf(handle.watch())).toEqual(['COMPLETED']);
  });

  it('get a submission once: the one that leads is looked for first', async () => {
    let submissions = 0;
    const leader = await serve({
      List: (_call, reply) => reply(null, { viewsJson: [] }),
      Submit: (call, reply) => {
        submissions++;
        call.on('data', () => undefined);
        call.on('end', () => reply(Object.assign(new Error('lost'), { code: status.UNAVAILABLE })));
      },
    });
    const client = connectAt(`${await serve(standby)},${leader}`);
    const spec = {} as SubmittedSpec;
    const submitting = client.submitPrepared({ code: Buffer.from('export default 1') }, spec);
    await expect(submitting).rejects.toMatchObject({ code: 'unavailable' });
    expect(submissions).toBe(1);
  });

  it('get a submission as soon as one of them leads', async () => {
    let looks = 0;
    const one = await serve({
      List: (_call, reply) => (looks++ < 2 ? reply(standsBy) : reply(null, { viewsJson: [] })),
      Submit: (call, reply) => {
        call.on('data', () => undefined);
        call.on('end', () => reply(null, { jobId: 'job-7' }));
      },
    });
    const client = connectAt(`127.0.0.1:1,${one}`);
    const spec = {} as SubmittedSpec;
    const handle = await client.submitPrepared({ code: Buffer.from('export default 1') }, spec);
    expect(handle.id).toBe('job-7');
  });

  it('must each be an address', () => {
    expect(() => connect({ coordinator: 'a:1,b' })).toThrow(/MILLRACE_COORDINATOR\) must be HOST:PORT.*"b"/);
  });
});

describe('result', () => {
  it('throws job-failed with the cause of a job that failed', async () => {
    const cause = { code: 'job-failed', message: 'm0 failed', task: 'm0', failure: null };
    const client = await connectTo(watchWith((call) => send(call, { state: 'FAILED', cause })));
    await expect(client.get('job-1').result().next()).rejects.toMatchObject({ code: 'job-failed', cause });
  });

  it('throws cancelled for a job that was cancelled', async () => {
    const client = await connectTo(watchWith((call) => send(call, { state: 'CANCELLED' })));
    await expect(client.get('job-1').result().next()).rejects.toMatchObject({ code: 'cancelled' });
  });
});

describe('connect', () => {
  it.each([
    [{ token: 'short' }, /MILLRACE_TOKEN has 5 characters/],
    [{ tls: { cert: '-----BEGIN CERTIFICATE-----' } }, /--tls-cert without --tls-key/],
    [{ tls: { ca: '/none/ca.pem' } }, /--tls-ca.*no such file/],
  ])('refuses the credentials %j', (options, why) => {
    expect(() => connect(options)).toThrow(why);
  });

  it('refuses an address without a port', () => {
    expect(() => connect({ coordinator: 'localhost' })).toThrow(
      /--coordinator, MILLRACE_COORDINATOR\) must be HOST:PORT/,
    );
  });

  it('refuses a job id that could be a path', () => {
    const client = connect();
    open.push(() => client.close());
    expect(() => client.get('../x')).toThrow(/job id must match/);
  });
});
