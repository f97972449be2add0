// Original file: proto/doctor.proto


export interface DiagnoseRequest {
}

export interface DiagnoseRequest__Output {
}
