// Original file: proto/client.proto


export interface ListRequest {
  'limit'?: (number);
}

export interface ListRequest__Output {
  'limit': (number);
}
