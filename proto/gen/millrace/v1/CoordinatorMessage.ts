// Original file: proto/worker.proto

import type { Welcome as _millrace_v1_Welcome, Welcome__Output as _millrace_v1_Welcome__Output } from '../../millrace/v1/Welcome.ts';
import type { JobInfo as _millrace_v1_JobInfo, JobInfo__Output as _millrace_v1_JobInfo__Output } from '../../millrace/v1/JobInfo.ts';
import type { Assignment as _millrace_v1_Assignment, Assignment__Output as _millrace_v1_Assignment__Output } from '../../millrace/v1/Assignment.ts';
import type { Cancel as _millrace_v1_Cancel, Cancel__Output as _millrace_v1_Cancel__Output } from '../../millrace/v1/Cancel.ts';
import type { Locations as _millrace_v1_Locations, Locations__Output as _millrace_v1_Locations__Output } from '../../millrace/v1/Locations.ts';
import type { ReportAnswer as _millrace_v1_ReportAnswer, ReportAnswer__Output as _millrace_v1_ReportAnswer__Output } from '../../millrace/v1/ReportAnswer.ts';
import type { Ticket as _millrace_v1_Ticket, Ticket__Output as _millrace_v1_Ticket__Output } from '../../millrace/v1/Ticket.ts';
import type { Diagnose as _millrace_v1_Diagnose, Diagnose__Output as _millrace_v1_Diagnose__Output } from '../../millrace/v1/Diagnose.ts';

export interface CoordinatorMessage {
  'welcome'?: (_millrace_v1_Welcome | null);
  'jobs'?: (_millrace_v1_JobInfo)[];
  'assignments'?: (_millrace_v1_Assignment)[];
  'cancels'?: (_millrace_v1_Cancel)[];
  'locations'?: (_millrace_v1_Locations)[];
  'answers'?: (_millrace_v1_ReportAnswer)[];
  'jobsEnded'?: (string)[];
  'rejoin'?: (boolean);
  'refused'?: (string);
  'drain'?: (boolean);
  'drained'?: (boolean);
  'tickets'?: (_millrace_v1_Ticket)[];
  'diagnose'?: (_millrace_v1_Diagnose | null);
}

export interface CoordinatorMessage__Output {
  'welcome': (_millrace_v1_Welcome__Output | null);
  'jobs': (_millrace_v1_JobInfo__Output)[];
  'assignments': (_millrace_v1_Assignment__Output)[];
  'cancels': (_millrace_v1_Cancel__Output)[];
  'locations': (_millrace_v1_Locations__Output)[];
  'answers': (_millrace_v1_ReportAnswer__Output)[];
  'jobsEnded': (string)[];
  'rejoin': (boolean);
  'refused': (string);
  'drain': (boolean);
  'drained': (boolean);
  'tickets': (_millrace_v1_Ticket__Output)[];
  'diagnose': (_millrace_v1_Diagnose__Output | null);
}
