// Original file: proto/client.proto


export interface ListReply {
  'viewsJson'?: (string)[];
}

export interface ListReply__Output {
  'viewsJson': (string)[];
}
