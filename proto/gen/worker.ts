import type * as grpc from '@grpc/grpc-js';
import type { EnumTypeDefinition, MessageTypeDefinition } from '@grpc/proto-loader';

import type { Assignment as _millrace_v1_Assignment, Assignment__Output as _millrace_v1_Assignment__Output } from './millrace/v1/Assignment.ts';
import type { AttemptFailure as _millrace_v1_AttemptFailure, AttemptFailure__Output as _millrace_v1_AttemptFailure__Output } from './millrace/v1/AttemptFailure.ts';
import type { AttemptId as _millrace_v1_AttemptId, AttemptId__Output as _millrace_v1_AttemptId__Output } from './millrace/v1/AttemptId.ts';
import type { AttemptProgress as _millrace_v1_AttemptProgress, AttemptProgress__Output as _millrace_v1_AttemptProgress__Output } from './millrace/v1/AttemptProgress.ts';
import type { BadRecords as _millrace_v1_BadRecords, BadRecords__Output as _millrace_v1_BadRecords__Output } from './millrace/v1/BadRecords.ts';
import type { Cancel as _millrace_v1_Cancel, Cancel__Output as _millrace_v1_Cancel__Output } from './millrace/v1/Cancel.ts';
import type { CoordinatorMessage as _millrace_v1_CoordinatorMessage, CoordinatorMessage__Output as _millrace_v1_CoordinatorMessage__Output } from './millrace/v1/CoordinatorMessage.ts';
import type { Diagnose as _millrace_v1_Diagnose, Diagnose__Output as _millrace_v1_Diagnose__Output } from './millrace/v1/Diagnose.ts';
import type { Diagnosis as _millrace_v1_Diagnosis, Diagnosis__Output as _millrace_v1_Diagnosis__Output } from './millrace/v1/Diagnosis.ts';
import type { FetchProgress as _millrace_v1_FetchProgress, FetchProgress__Output as _millrace_v1_FetchProgress__Output } from './millrace/v1/FetchProgress.ts';
import type { FetchTrouble as _millrace_v1_FetchTrouble, FetchTrouble__Output as _millrace_v1_FetchTrouble__Output } from './millrace/v1/FetchTrouble.ts';
import type { Finding as _millrace_v1_Finding, Finding__Output as _millrace_v1_Finding__Output } from './millrace/v1/Finding.ts';
import type { Heartbeat as _millrace_v1_Heartbeat, Heartbeat__Output as _millrace_v1_Heartbeat__Output } from './millrace/v1/Heartbeat.ts';
import type { Hello as _millrace_v1_Hello, Hello__Output as _millrace_v1_Hello__Output } from './millrace/v1/Hello.ts';
import type { HotFunction as _millrace_v1_HotFunction, HotFunction__Output as _millrace_v1_HotFunction__Output } from './millrace/v1/HotFunction.ts';
import type { JobInfo as _millrace_v1_JobInfo, JobInfo__Output as _millrace_v1_JobInfo__Output } from './millrace/v1/JobInfo.ts';
import type { Location as _millrace_v1_Location, Location__Output as _millrace_v1_Location__Output } from './millrace/v1/Location.ts';
import type { Locations as _millrace_v1_Locations, Locations__Output as _millrace_v1_Locations__Output } from './millrace/v1/Locations.ts';
import type { LogLine as _millrace_v1_LogLine, LogLine__Output as _millrace_v1_LogLine__Output } from './millrace/v1/LogLine.ts';
import type { MapDone as _millrace_v1_MapDone, MapDone__Output as _millrace_v1_MapDone__Output } from './millrace/v1/MapDone.ts';
import type { PartOpened as _millrace_v1_PartOpened, PartOpened__Output as _millrace_v1_PartOpened__Output } from './millrace/v1/PartOpened.ts';
import type { Peer as _millrace_v1_Peer, Peer__Output as _millrace_v1_Peer__Output } from './millrace/v1/Peer.ts';
import type { Profile as _millrace_v1_Profile, Profile__Output as _millrace_v1_Profile__Output } from './millrace/v1/Profile.ts';
import type { ReduceDone as _millrace_v1_ReduceDone, ReduceDone__Output as _millrace_v1_ReduceDone__Output } from './millrace/v1/ReduceDone.ts';
import type { Report as _millrace_v1_Report, Report__Output as _millrace_v1_Report__Output } from './millrace/v1/Report.ts';
import type { ReportAnswer as _millrace_v1_ReportAnswer, ReportAnswer__Output as _millrace_v1_ReportAnswer__Output } from './millrace/v1/ReportAnswer.ts';
import type { SampleDone as _millrace_v1_SampleDone, SampleDone__Output as _millrace_v1_SampleDone__Output } from './millrace/v1/SampleDone.ts';
import type { Split as _millrace_v1_Split, Split__Output as _millrace_v1_Split__Output } from './millrace/v1/Split.ts';
import type { SplitPiece as _millrace_v1_SplitPiece, SplitPiece__Output as _millrace_v1_SplitPiece__Output } from './millrace/v1/SplitPiece.ts';
import type { StagedPart as _millrace_v1_StagedPart, StagedPart__Output as _millrace_v1_StagedPart__Output } from './millrace/v1/StagedPart.ts';
import type { Ticket as _millrace_v1_Ticket, Ticket__Output as _millrace_v1_Ticket__Output } from './millrace/v1/Ticket.ts';
import type { Welcome as _millrace_v1_Welcome, Welcome__Output as _millrace_v1_Welcome__Output } from './millrace/v1/Welcome.ts';
import type { WorkerControlClient as _millrace_v1_WorkerControlClient, WorkerControlDefinition as _millrace_v1_WorkerControlDefinition } from './millrace/v1/WorkerControl.ts';
import type { WorkerMessage as _millrace_v1_WorkerMessage, WorkerMessage__Output as _millrace_v1_WorkerMessage__Output } from './millrace/v1/WorkerMessage.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  millrace: {
    v1: {
      Assignment: MessageTypeDefinition<_millrace_v1_Assignment, _millrace_v1_Assignment__Output>
      AttemptFailure: MessageTypeDefinition<_millrace_v1_AttemptFailure, _millrace_v1_AttemptFailure__Output>
      AttemptId: MessageTypeDefinition<_millrace_v1_AttemptId, _millrace_v1_AttemptId__Output>
      AttemptProgress: MessageTypeDefinition<_millrace_v1_AttemptProgress, _millrace_v1_AttemptProgress__Output>
      BadRecords: MessageTypeDefinition<_millrace_v1_BadRecords, _millrace_v1_BadRecords__Output>
      Cancel: MessageTypeDefinition<_millrace_v1_Cancel, _millrace_v1_Cancel__Output>
      CoordinatorMessage: MessageTypeDefinition<_millrace_v1_CoordinatorMessage, _millrace_v1_CoordinatorMessage__Output>
      Diagnose: MessageTypeDefinition<_millrace_v1_Diagnose, _millrace_v1_Diagnose__Output>
      Diagnosis: MessageTypeDefinition<_millrace_v1_Diagnosis, _millrace_v1_Diagnosis__Output>
      FetchProgress: MessageTypeDefinition<_millrace_v1_FetchProgress, _millrace_v1_FetchProgress__Output>
      FetchTrouble: MessageTypeDefinition<_millrace_v1_FetchTrouble, _millrace_v1_FetchTrouble__Output>
      Finding: MessageTypeDefinition<_millrace_v1_Finding, _millrace_v1_Finding__Output>
      Heartbeat: MessageTypeDefinition<_millrace_v1_Heartbeat, _millrace_v1_Heartbeat__Output>
      Hello: MessageTypeDefinition<_millrace_v1_Hello, _millrace_v1_Hello__Output>
      HotFunction: MessageTypeDefinition<_millrace_v1_HotFunction, _millrace_v1_HotFunction__Output>
      JobInfo: MessageTypeDefinition<_millrace_v1_JobInfo, _millrace_v1_JobInfo__Output>
      Location: MessageTypeDefinition<_millrace_v1_Location, _millrace_v1_Location__Output>
      Locations: MessageTypeDefinition<_millrace_v1_Locations, _millrace_v1_Locations__Output>
      LogLine: MessageTypeDefinition<_millrace_v1_LogLine, _millrace_v1_LogLine__Output>
      MapDone: MessageTypeDefinition<_millrace_v1_MapDone, _millrace_v1_MapDone__Output>
      PartOpened: MessageTypeDefinition<_millrace_v1_PartOpened, _millrace_v1_PartOpened__Output>
      Peer: MessageTypeDefinition<_millrace_v1_Peer, _millrace_v1_Peer__Output>
      Profile: MessageTypeDefinition<_millrace_v1_Profile, _millrace_v1_Profile__Output>
      ReduceDone: MessageTypeDefinition<_millrace_v1_ReduceDone, _millrace_v1_ReduceDone__Output>
      Report: MessageTypeDefinition<_millrace_v1_Report, _millrace_v1_Report__Output>
      ReportAnswer: MessageTypeDefinition<_millrace_v1_ReportAnswer, _millrace_v1_ReportAnswer__Output>
      SampleDone: MessageTypeDefinition<_millrace_v1_SampleDone, _millrace_v1_SampleDone__Output>
      Split: MessageTypeDefinition<_millrace_v1_Split, _millrace_v1_Split__Output>
      SplitPiece: MessageTypeDefinition<_millrace_v1_SplitPiece, _millrace_v1_SplitPiece__Output>
      StagedPart: MessageTypeDefinition<_millrace_v1_StagedPart, _millrace_v1_StagedPart__Output>
      TaskKind: EnumTypeDefinition
      Ticket: MessageTypeDefinition<_millrace_v1_Ticket, _millrace_v1_Ticket__Output>
      Welcome: MessageTypeDefinition<_millrace_v1_Welcome, _millrace_v1_Welcome__Output>
      WorkerControl: SubtypeConstructor<typeof grpc.Client, _millrace_v1_WorkerControlClient> & { service: _millrace_v1_WorkerControlDefinition }
      WorkerMessage: MessageTypeDefinition<_millrace_v1_WorkerMessage, _millrace_v1_WorkerMessage__Output>
    }
  }
}

