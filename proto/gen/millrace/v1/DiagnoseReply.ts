// Original file: proto/doctor.proto


export interface DiagnoseReply {
  'reportJson'?: (string);
}

export interface DiagnoseReply__Output {
  'reportJson': (string);
}
