// Original file: proto/shuffle.proto


export interface RawFrame {
  'frame'?: (Buffer | Uint8Array | string);
}

export interface RawFrame__Output {
  'frame': (Buffer);
}
