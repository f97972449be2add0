/** The rules of tidy. Each takes what was read and returns what is wrong; none reads a file itself, so that tests need none. */
import type { ParsedFile, SourceFile } from './tidy-source.ts';

export interface Problem {
  readonly path: string;
  readonly line: number;
  readonly rule: string;
  readonly message: string;
  /** `warning` is printed and counted, `error` fails the check. */
  readonly level: 'error' | 'warning';
}

export const sizes = { fileSoft: 300, fileHard: 500, functionSoft: 40, functionHard: 70 } as const;

const isTest = (path: string) => path.endsWith('.test.ts') || path.startsWith('test/');

export function checkSizes(file: ParsedFile): Problem[] {
  const problems: Problem[] = [];
  const add = (level: Problem['level'], line: number, message: string) =>
    problems.push({ path: file.path, line, rule: 'size', level, message });
  if (file.lines > sizes.fileHard)
    add('error', 1, `${file.lines} lines, over the limit of ${sizes.fileHard}: split the file`);
  else if (file.lines > sizes.fileSoft) add('warning', 1, `${file.lines} lines, over ${sizes.fileSoft}`);
  // A `describe` is a long function by nature.
  if (isTest(file.path)) return problems;
  for (const { name, line, lines } of file.functions) {
    if (lines > sizes.functionHard)
      add('error', line, `${name} has ${lines} lines, over the limit of ${sizes.functionHard}: split it`);
    else if (lines > sizes.functionSoft)
      add('warning', line, `${name} has ${lines} lines, over ${sizes.functionSoft}`);
  }
  return problems;
}

interface Arrow {
  readonly from: RegExp;
  /** What files there may import: project files by path, others by name. */
  readonly to: RegExp;
  readonly says: string;
}

const serverFile = 'worker|coordinator';

/** The first that fits a file decides. */
const arrows: readonly Arrow[] = [
  { from: /^lib\//, to: /^(lib\/|package:|node:)/, says: 'lib imports nothing of ours' },
  { from: /^proto\//, to: /^(proto\/|package:|node:)/, says: 'proto imports nothing of ours' },
  {
    from: /^coordinator\/core\//,
    to: /^(lib\/|coordinator\/core\/)/,
    says: 'coordinator/core imports only lib: no packages and nothing of Node',
  },
  {
    from: /^coordinator\//,
    to: /^(lib\/|proto\/|coordinator\/|package:|node:)/,
    says: 'coordinator imports lib and proto',
  },
  {
    from: /^worker\/(map|shuffle|reduce)\//,
    to: /^(lib\/|proto\/|worker\/(map|shuffle|reduce|user)\/|package:|node:)/,
    says: 'worker/map, shuffle and reduce never import worker/control or the rest of the worker',
  },
  { from: /^worker\//, to: /^(lib\/|proto\/|worker\/|package:|node:)/, says: 'worker imports lib and proto' },
  {
    from: /^sdk\/(local\.ts|replay\.ts|testing\.ts|testing\/)/,
    to: new RegExp(`^(lib/|proto/|sdk/|(${serverFile})/|package:|node:)`),
    says: 'sdk/local.ts, sdk/replay.ts and sdk/testing/ reach the coordinator and the worker, nothing further',
  },
  {
    from: /^sdk\//,
    to: /^(lib\/|proto\/|sdk\/|package:|node:)/,
    says: 'sdk reaches coordinator and worker only in sdk/local.ts, sdk/replay.ts and sdk/testing/',
  },
  {
    from: /^cli\//,
    to: new RegExp(`^(lib/|sdk/|cli/|(${serverFile})/(main|config)\\.ts$|bench/main\\.ts$|package:|node:)`),
    says: 'cli uses sdk, and the main and config of coordinator and worker',
  },
  {
    from: /^examples\//,
    to: /^(examples\/|package:millrace$|package:millrace\/testing$|node:)/,
    says: 'examples import only millrace and millrace/testing, as users do',
  },
  { from: /^minio\//, to: /^(lib\/|minio\/|package:|node:)/, says: 'minio imports lib' },
  {
    from: /^bench\//,
    to: /^(?!test\/(?!minio\/start-minio|process-supervisor|start-or-dispose|until)|scripts\/)/,
    says: 'bench does not import tests or scripts, but starts MinIO and processes as they do',
  },
  {
    from: /^scripts\//,
    to: /^(scripts\/|package\.json$|package:|node:)/,
    says: 'scripts import nothing of ours',
  },
];

export function checkImports(file: ParsedFile): Problem[] {
  if (isTest(file.path)) return [];
  const arrow = arrows.find(({ from }) => from.test(file.path));
  if (!arrow) return [];
  return file.imports
    .filter(({ specifier }) => !arrow.to.test(importTarget(file.path, specifier)))
    .map(({ specifier, line }) => ({
      path: file.path,
      line,
      rule: 'imports',
      level: 'error',
      message: `imports ${specifier}: ${arrow.says}`,
    }));
}

/** A path from the root for a relative import; `node:fs` as it is; `package:name` for the rest. */
export function importTarget(from: string, specifier: string): string {
  if (specifier.startsWith('node:')) return specifier;
  if (!specifier.startsWith('.')) return `package:${specifier}`;
  const parts = from.split('/').slice(0, -1);
  for (const part of specifier.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}

interface Ban {
  readonly use: RegExp;
  readonly allowedIn: RegExp;
  readonly says: string;
}

const notInCore = /^(?!coordinator\/core\/)/;

const bans: readonly Ban[] = [
  {
    use: /^(Date\.|new Date$|Date\(\)$|performance\.|Math\.random$|crypto\.|process\.)/,
    allowedIn: notInCore,
    says: 'the core has no clock, no random and no process: they arrive in the event',
  },
  {
    use: /^(setTimeout|setInterval|setImmediate|queueMicrotask|clearTimeout|clearInterval|fetch)\(\)$|^process\.nextTick$/,
    allowedIn: notInCore,
    says: 'the core has no timers and no I/O',
  },
  { use: /^await$|^Promise\.|^new Promise$/, allowedIn: notInCore, says: 'the core is synchronous' },
  {
    use: /^process\.env$/,
    allowedIn:
      /^(cli|scripts|bench|test|examples)\/|^minio\/set-up\.ts$|^sdk\/client\.ts$|^worker\/main\.ts$|^lib\/store\/s3\/s3-access\.ts$|^lib\/failpoints\.ts$|\.test\.ts$/,
    says: 'settings are read from the environment in one place and passed on',
  },
  {
    use: /^console\./,
    allowedIn: /^(cli|scripts|bench|examples|test)\/|^minio\/set-up\.ts$|\.test\.ts$/,
    says: 'only the command line talks to people; log through lib/log.ts',
  },
];

export function checkBans(file: ParsedFile): Problem[] {
  const inForce = bans.filter(({ allowedIn }) => !allowedIn.test(file.path));
  if (file.path.startsWith('coordinator/core/') && file.path.endsWith('.test.ts')) return [];
  return file.uses.flatMap(({ name, line }) =>
    inForce
      .filter(({ use }) => use.test(name))
      .map(({ says }) => ({
        path: file.path,
        line,
        rule: 'banned',
        level: 'error' as const,
        message: `${name}: ${says}`,
      })),
  );
}

const marker = /\b(TODO|FIXME|XXX|HACK)\b|@ts-ignore|^\s*debugger\b/;
const focused = /\b(?:it|test|describe)\.(?:only|skip|todo)\b|\b[fx](?:it|describe)\(/;

export function checkMarkers(file: SourceFile): Problem[] {
  const problems: Problem[] = [];
  file.text.split('\n').forEach((text, index) => {
    const add = (rule: string, message: string) =>
      problems.push({ path: file.path, line: index + 1, rule, level: 'error', message });
    const left = marker.exec(text);
    if (left) add('marker', `left-over ${left[0].trim()}`);
    const off = file.path.endsWith('.test.ts') ? focused.exec(text) : null;
    if (off) add('focus', `${off[0]} turns tests off; skip loudly with a condition instead`);
  });
  return problems;
}

/** Files of the programs that no entry point reaches. Tests do not count: what only a test uses is dead. */
export function checkDead(files: readonly ParsedFile[], entries: readonly string[]): Problem[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const reached = new Set<string>();
  const waiting = files.map(({ path }) => path).filter((path) => entries.includes(path) || isRoot(path));
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    for (const { specifier } of byPath.get(path)?.imports ?? []) {
      const target = importTarget(path, specifier);
      if (byPath.has(target)) waiting.push(target);
    }
  }
  return files
    .filter(({ path }) => !reached.has(path) && !isTest(path) && !isTestSupport(path))
    .map(({ path }) => ({
      path,
      line: 1,
      rule: 'dead',
      level: 'error',
      message: 'no entry point reaches this file: use it or remove it',
    }));
}

/** Started by hand or by a tool, never imported. */
const isRoot = (path: string) =>
  /^(examples|bench\/(micro|peers|jobs|preloads|experiments))\/|^[^/]+\.ts$|\.d\.m?ts$/.test(path);
const isTestSupport = (path: string) => /(^|\/)(test-[a-z-]+\.ts$|fixtures\/)/.test(path);

/** What package.json and the test configuration start: `dist/x.js`, `node x.ts`, `run.mjs x.ts` and `'./x.ts'` in them name the entry points. */
export function entryPoints(config: string): string[] {
  const built = [...config.matchAll(/dist\/([\w/-]+)\.js/g)].map(([, name]) => `${name}.ts`);
  const started = [...config.matchAll(/(?<=node |run\.mjs |'\.\/)([\w/-]+\.(?:ts|mjs))/g)].map(
    ([, name]) => name ?? '',
  );
  return [...built, ...started];
}

/** Relative links in Markdown must lead to a file, and `#anchors` to a heading of it. */
export function checkLinks(
  file: SourceFile,
  exists: (path: string) => boolean,
  textOf: (path: string) => string | undefined,
): Problem[] {
  const prose = file.text.replace(/```[\s\S]*?```/g, (block) => block.replace(/[^\n]/g, ' '));
  const problems: Problem[] = [];
  for (const match of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
    const target = match[1] ?? '';
    if (/^[a-z]+:/.test(target)) continue;
    const [path = '', anchor] = target.split('#');
    const full = path === '' ? file.path : importTarget(file.path, `./${path}`).replace(/\/$/, '');
    const line = prose.slice(0, match.index).split('\n').length;
    const add = (message: string) =>
      problems.push({ path: file.path, line, rule: 'links', level: 'error', message });
    if (!exists(full)) add(`link to ${target}: there is no ${full}`);
    else if (anchor && !headings(textOf(full) ?? '').has(anchor))
      add(`link to ${target}: ${full} has no such heading`);
  }
  return problems;
}

/** As GitHub makes them: lower case, punctuation dropped, spaces to hyphens. */
function headings(markdown: string): Set<string> {
  const slugs = [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, text = '']) =>
    text
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
  return new Set(slugs);
}

/** A lock file with `resolved` ties every install to the registry of whoever wrote it. */
export function checkLock(text: string): Problem[] {
  const index = text.split('\n').findIndex((line) => /^\s*"resolved":/.test(line));
  if (index < 0) return [];
  return [
    {
      path: 'package-lock.json',
      line: index + 1,
      rule: 'lock',
      level: 'error',
      message: 'names a registry host in "resolved": npm install --omit-lockfile-registry-resolved',
    },
  ];
}
