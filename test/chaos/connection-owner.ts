/**
 * Which program of a test holds the other end of a connection. All of them dial from 127.0.0.1, so the kernel is asked: the socket's inode from
 * /proc/net/tcp, the child that has it open, and that child's name from its environment. Needs neither root nor a change of the program, which
 * network namespaces and source-bound addresses would. Linux only.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** The variable that names a program. */
export const nodeNameVariable = 'TEST_NODE';

/** Of a TCP connection between two ports of 127.0.0.1 the one that `from` is on; undefined when nobody holds that end any more. */
export function inodeOf(from: number, to: number): string | undefined {
  const ends = `${loopback(from)} ${loopback(to)}`;
  const row = readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .find((line) => line.includes(ends));
  const inode = row?.trim().split(/\s+/)[9];
  return inode === '0' ? undefined : inode;
}

/** 127.0.0.1 as the kernel writes it, on a little-endian processor. */
function loopback(port: number): string {
  return `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** The `TEST_NODE` of the child that holds the `from` end; `own` when it is this process; undefined for anybody else. */
export function ownerOf(from: number, to: number, own: string): string | undefined {
  const inode = inodeOf(from, to);
  if (inode === undefined) return undefined;
  if (holds('self', inode)) return own;
  const pid = children().find((child) => holds(child, inode));
  return pid && nameOf(pid);
}

function children(): string[] {
  const threads = readdirSync('/proc/self/task');
  return threads.flatMap((thread) =>
    (readOf(`/proc/self/task/${thread}/children`) ?? '').split(' ').filter((pid) => pid !== ''),
  );
}

function holds(pid: string, inode: string): boolean {
  const folder = `/proc/${pid}/fd`;
  return (
    unlessGone(() => readdirSync(folder))?.some(
      (fd) => unlessGone(() => readlinkSync(`${folder}/${fd}`)) === `socket:[${inode}]`,
    ) ?? false
  );
}

function nameOf(pid: string): string | undefined {
  const variables = readOf(`/proc/${pid}/environ`)?.split('\0') ?? [];
  return variables
    .find((each) => each.startsWith(`${nodeNameVariable}=`))
    ?.slice(nodeNameVariable.length + 1);
}

function readOf(path: string): string | undefined {
  return unlessGone(() => readFileSync(path, 'utf8'));
}

/** Processes end, and files are closed, while one looks. */
function unlessGone<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (thrown) {
    if (['ENOENT', 'ESRCH'].includes((thrown as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw thrown;
  }
}
