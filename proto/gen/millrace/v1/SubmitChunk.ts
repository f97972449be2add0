// Original file: proto/client.proto


export interface SubmitChunk {
  'specJson'?: (string);
  'bundle'?: (Buffer | Uint8Array | string);
}

export interface SubmitChunk__Output {
  'specJson': (string);
  'bundle': (Buffer);
}
