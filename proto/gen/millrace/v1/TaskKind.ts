// Original file: proto/types.proto

export const TaskKind = {
  TASK_KIND_UNSPECIFIED: 'TASK_KIND_UNSPECIFIED',
  SAMPLE: 'SAMPLE',
  MAP: 'MAP',
  REDUCE: 'REDUCE',
} as const;

export type TaskKind =
  | 'TASK_KIND_UNSPECIFIED'
  | 0
  | 'SAMPLE'
  | 1
  | 'MAP'
  | 2
  | 'REDUCE'
  | 3

export type TaskKind__Output = typeof TaskKind[keyof typeof TaskKind]
