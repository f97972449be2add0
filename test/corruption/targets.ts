/** All places where bytes lie or travel between who wrote them and who reads them. */

import type { TargetKind } from './target.ts';
import { keptBundle, storedBundle } from './targets/bundle.ts';
import { copiedIndex, copiedPiece } from './targets/copies.ts';
import { changedInput, gzipInput, zstdInput } from './targets/input.ts';
import { journalTargets, leaderFile } from './targets/journal.ts';
import { fetchedFile, mergedRun, spill } from './targets/local-files.ts';
import { manifest, publishedParts, stagedPart } from './targets/output.ts';
import { inheritedReport, inheritedRun } from './targets/scratch.ts';
import { ownDisk, servedDisk, stream } from './targets/shuffle.ts';

export const targetKinds: readonly TargetKind[] = [
  ...[gzipInput, zstdInput, changedInput],
  ...[storedBundle, keptBundle],
  ...[spill, ownDisk, servedDisk, stream, fetchedFile, mergedRun],
  ...[inheritedRun, inheritedReport, copiedPiece, copiedIndex],
  ...journalTargets,
  leaderFile,
  ...[stagedPart, ...publishedParts, manifest],
];
