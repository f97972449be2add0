/** Who may call what: every method of every service has its line here, and a method without one is refused. */

/** `client` submits and looks; `worker` joins, reports and fetches. */
export type Role = 'client' | 'worker';

export const roles: readonly Role[] = ['client', 'worker'];

/**
 * `open` has no data to protect. `ticket`: workers, where certificates tell who calls, and always with a ticket of the coordinator
 * (ticket.ts), which the handler checks; tokens are not shown to other workers.
 */
export type MethodRule = Role | 'ticket' | 'open';

const rules: Readonly<Record<string, MethodRule>> = {
  '/millrace.v1.Client/Submit': 'client',
  '/millrace.v1.Client/Get': 'client',
  '/millrace.v1.Client/Watch': 'client',
  '/millrace.v1.Client/List': 'client',
  '/millrace.v1.Client/Cancel': 'client',
  '/millrace.v1.Client/Logs': 'client',
  '/millrace.v1.Operator/Cluster': 'client',
  '/millrace.v1.Operator/Drain': 'client',
  '/millrace.v1.Doctor/Diagnose': 'client',
  '/millrace.v1.WorkerControl/Session': 'worker',
  '/millrace.v1.Shuffle/Fetch': 'ticket',
  '/millrace.v1.Shuffle/Ping': 'ticket',
  '/millrace.v1.Shuffle/Verify': 'ticket',
  '/grpc.health.v1.Health/Check': 'open',
  '/grpc.health.v1.Health/List': 'open',
  '/grpc.health.v1.Health/Watch': 'open',
};

/** Undefined for a method nobody thought of. */
export function ruleOf(methodPath: string): MethodRule | undefined {
  return Object.hasOwn(rules, methodPath) ? rules[methodPath] : undefined;
}
