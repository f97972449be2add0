/** Types of what the test of set-up.mjs imports. */
interface LockFile {
  readonly packages: Readonly<
    Record<string, { readonly version?: string; readonly integrity?: string; readonly optional?: boolean }>
  >;
}

export function isInstalled(lock: LockFile, installed: LockFile): boolean;

export function isBuildNeeded(
  sources: readonly string[],
  stamp: { readonly sources: readonly string[]; readonly builtMs: number } | undefined,
  changedMs: (path: string) => number,
): boolean;
