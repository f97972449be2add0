/** The Doctor service: one call, one report. */
import type { DoctorHandlers } from '../../proto/gen/millrace/v1/Doctor.ts';
import type { Diagnoser } from '../diagnose.ts';
import { answer } from './answer.ts';

export function doctorHandlers(diagnoser: Diagnoser): DoctorHandlers {
  return {
    Diagnose: (_call, reply) =>
      answer(reply, async () => ({ reportJson: JSON.stringify(await diagnoser.run()) })),
  };
}
